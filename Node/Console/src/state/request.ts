import { useCallback, useEffect, useState } from 'react'
import type { DatabasesAnswer } from '../api/types'
import { useConnection, useConnectionState } from './cluster'

interface Fetched<T> {
  /** The newest answer; null until there is one. It stays while it is asked for anew. */
  readonly data: T | null
  readonly error: unknown
  readonly isLoading: boolean
  /** Asks again. */
  reload(): void
}

/** What a GET answers: asked when the component appears, when its address changes, and when the page has moved to another node. */
export function useGet<T>(path: string): Fetched<T> {
  const connection = useConnection()
  const node = useConnectionState('node')
  const [round, setRound] = useState(0)
  const [state, setState] = useState<Omit<Fetched<T>, 'reload'>>({ data: null, error: null, isLoading: true })
  useEffect(() => {
    const abort = new AbortController()
    setState(before => ({ ...before, isLoading: true }))
    connection.request<T>(path, { signal: abort.signal }).then(
      data => setState({ data, error: null, isLoading: false }),
      (error: unknown) => abort.signal.aborted || setState(before => ({ ...before, error, isLoading: false })),
    )
    return () => abort.abort()
  }, [connection, path, node, round])
  const reload = useCallback(() => setRound(r => r + 1), [])
  return { ...state, reload }
}

/** All databases with their tables. */
export function useDatabases(): Fetched<DatabasesAnswer> {
  return useGet<DatabasesAnswer>('/databases')
}
