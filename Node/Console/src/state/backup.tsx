import { notifications } from '@mantine/notifications'
import { createContext, useEffect, useMemo, useRef, useState, type ReactNode } from 'react'
import { takeBackup, type Progress } from '../api/backup'
import { chooseTarget } from '../api/target'
import { useConnection, useConnectionState } from './cluster'
import { useRequired } from './required'

/** The page is told of progress so often. */
const progressMs = 200

/** The last backup that was asked for, until the user has read how it went. */
export type BackupStatus =
  | { readonly phase: 'running'; readonly title: string; readonly progress: Progress | null }
  | { readonly phase: 'done'; readonly title: string; readonly file: string; readonly progress: Progress }
  | { readonly phase: 'failed'; readonly title: string; readonly error: unknown }

interface Backups {
  readonly status: BackupStatus | null
  /** Downloads a database, or an archive of all (null). Call it while a click is handled, and not while one is running. */
  start(database: string | null): Promise<void>
  cancel(): void
  /** The user has read how it went. */
  dismiss(): void
}

const Context = createContext<Backups | null>(null)

/** Keeps a download going whatever page is looked at: see useBackups. */
export function BackupProvider({ children }: { children: ReactNode }) {
  const connection = useConnection()
  const phase = useConnectionState('phase')
  const [status, setStatus] = useState<BackupStatus | null>(null)
  const abort = useRef<AbortController | null>(null)
  const isRunning = status?.phase === 'running'
  useEffect(() => {
    // Who signs out takes nothing along.
    if (phase === 'signed_out') {
      abort.current?.abort()
    }
  }, [phase])
  useEffect(() => {
    if (isRunning) {
      const ask = (event: BeforeUnloadEvent) => event.preventDefault()
      window.addEventListener('beforeunload', ask)
      return () => window.removeEventListener('beforeunload', ask)
    }

    return undefined
  }, [isRunning])

  const backups = useMemo<Backups>(() => {
    const start = async (database: string | null) => {
      const title = database === null ? 'Backup of all databases' : `Backup of ${database}`
      const controller = new AbortController()
      try {
        const target = await chooseTarget(fileNameFor(database))
        if (target === null) {
          return
        }

        abort.current = controller
        setStatus({ phase: 'running', title, progress: null })
        let last: Progress | null = null
        let toldAt = 0
        const file = await takeBackup(connection, database, target, controller.signal, progress => {
          last = progress
          const now = performance.now()
          if (progress.bytes === 0 || now - toldAt >= progressMs) {
            toldAt = now
            setStatus({ phase: 'running', title, progress })
          }
        })
        setStatus({ phase: 'done', title, file, progress: last! })
      } catch (error) {
        if (controller.signal.aborted) {
          setStatus(null)
          notifications.show({ message: `${title}: cancelled. Nothing was kept.` })
        } else {
          setStatus({ phase: 'failed', title, error })
        }
      }
    }
    return { status, start, cancel: () => abort.current?.abort(), dismiss: () => setStatus(null) }
  }, [connection, status])
  return <Context value={backups}>{children}</Context>
}

/** Downloads backups, and tells how it goes. */
export function useBackups(): Backups {
  return useRequired(Context, 'BackupProvider')
}

/** As nodes name them, but for the log index, which is not known yet. */
function fileNameFor(database: string | null): string {
  const time = new Date().toISOString().replace(/\.\d+/, '').replace(/[-:]/g, '')
  return database === null ? `distdb-${time}.tar` : `${database}-${time}.db`
}
