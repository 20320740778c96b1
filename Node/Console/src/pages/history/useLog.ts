import { useCallback, useEffect, useRef, useState } from 'react'
import type { Connection } from '../../api/connection'
import type { SqlValue } from '../../api/types'
import { useClusterValue, useConnection } from '../../state/cluster'
import { conditionsOf, type LogFilters } from './filters'

/** A row of `history_query.queries`. */
export interface LogEntry {
  readonly id: number
  readonly entry: number
  /** UTC, such as `2026-01-31 12:00:00.000`. */
  readonly time: string
  readonly node: number
  readonly node_address: string | null
  readonly client: string | null
  readonly token: string | null
  readonly database: string
  readonly table: string | null
  readonly operation: string
  readonly query: string
  readonly rows_affected: number
}

export interface Log {
  /** The newest first; null before the first answer. */
  readonly entries: readonly LogEntry[] | null
  readonly hasOlder: boolean
  readonly error: unknown
  loadOlder(): void
  /** Asks for everything again. */
  reload(): void
}

/** How many are asked for at once. If more than so many are new, what was shown before goes, for there would be a gap. */
const chunk = 200

/** The log of queries as far as the filters let it through; goes on by itself unless it is paused. */
export function useLog(filters: LogFilters, isPaused: boolean): Log {
  const connection = useConnection()
  const key = JSON.stringify(filters)
  const [state, setState] = useState<{ key: string; entries: readonly LogEntry[]; hasOlder: boolean } | null>(null)
  const [error, setError] = useState<unknown>(null)
  const [round, setRound] = useState(0)
  const isAsking = useRef(false)
  const commitIndex = useClusterValue(cluster => Math.max(0, ...(cluster?.nodes ?? []).map(m => m.status?.commit_index ?? 0)))
  const isCurrent = state?.key === key

  useEffect(() => {
    const abort = new AbortController()
    ask(connection, filters, [], abort.signal).then(
      entries => {
        setState({ key, entries, hasOlder: entries.length === chunk })
        setError(null)
      },
      (e: unknown) => !abort.signal.aborted && setError(e),
    )
    return () => abort.abort()
    // The filters are in the key.
  }, [connection, key, round])

  useEffect(() => {
    if (isPaused || !isCurrent) {
      return
    }

    const newest = state.entries[0]?.id ?? 0
    ask(connection, filters, [['id > ?', newest]]).then(fresh => {
      setError(null)
      const isGap = fresh.length === chunk
      setState(now =>
        fresh.length === 0 || now?.key !== key || (now.entries[0]?.id ?? 0) !== newest
          ? now
          : { key, entries: isGap ? fresh : [...fresh, ...now.entries], hasOlder: isGap || now.hasOlder },
      )
    }, setError)
    // When the log has grown, or the page goes on. What came meanwhile is there by then.
  }, [commitIndex, isPaused, isCurrent])

  const loadOlder = useCallback(() => {
    const oldest = state?.entries.at(-1)?.id
    if (!isCurrent || !state.hasOlder || oldest === undefined || isAsking.current) {
      return
    }

    isAsking.current = true
    ask(connection, filters, [['id < ?', oldest]])
      .then(
        older => setState(now => (now?.key === key && now.entries.at(-1)?.id === oldest ? { ...now, entries: [...now.entries, ...older], hasOlder: older.length === chunk } : now)),
        setError,
      )
      .finally(() => {
        isAsking.current = false
      })
  }, [connection, key, state, isCurrent])

  const reload = useCallback(() => setRound(n => n + 1), [])
  return { entries: state?.entries ?? null, hasOlder: state?.hasOlder ?? false, error, loadOlder, reload }
}

async function ask(connection: Connection, filters: LogFilters, more: [condition: string, value: SqlValue][], signal?: AbortSignal): Promise<LogEntry[]> {
  const { conditions, params } = conditionsOf(filters)
  const all = [...conditions, ...more.map(([condition]) => condition)]
  const where = all.length === 0 ? '' : `WHERE ${all.join(' AND ')} `
  const body = {
    command: 'query',
    database: 'history_query',
    query: `SELECT * FROM queries ${where}ORDER BY id DESC LIMIT ${chunk}`,
    params: [...params, ...more.map(([, value]) => value)],
  }
  const { rows } = await connection.request<{ rows: LogEntry[] }>('/query?objects', { method: 'POST', body, ...(signal && { signal }) })
  return rows
}
