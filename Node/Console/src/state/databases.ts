import { useCallback, useEffect, useState } from 'react'
import type { Database, DatabasesAnswer } from '../api/types'
import { useConnection } from './cluster'

export interface Databases {
  /** Null until they have been heard of. */
  readonly databases: Database[] | null
  readonly error: unknown
  /** Asks for them again, such as after the schema was changed. */
  reload(): void
}

/** What there is in the cluster: see GET /databases. */
export function useDatabases(): Databases {
  const connection = useConnection()
  const [databases, setDatabases] = useState<Database[] | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [round, setRound] = useState(0)
  useEffect(() => {
    const abort = new AbortController()
    connection.request<DatabasesAnswer>('/databases', { signal: abort.signal }).then(
      answer => {
        setDatabases(answer.databases)
        setError(null)
      },
      (e: unknown) => !abort.signal.aborted && setError(e),
    )
    return () => abort.abort()
  }, [connection, round])
  const reload = useCallback(() => setRound(n => n + 1), [])
  return { databases, error, reload }
}
