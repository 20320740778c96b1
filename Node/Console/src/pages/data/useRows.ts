import { useEffect, useState } from 'react'
import { toJson } from '../../api/json'
import type { RowsAnswer, Table } from '../../api/types'
import { columnsOf, type Result } from '../../components/sqlValues'
import { useConnection } from '../../state/cluster'
import type { Condition } from './filters'

export const pageRows = 100

/** Which rows of a table are wanted. */
export interface RowsWanted {
  readonly condition: Condition
  /** A column, with `-` before it for descending; null for the order of the primary key. */
  readonly sort: { readonly column: string; readonly isDescending: boolean } | null
  /** From 0. */
  readonly page: number
  /** What is shown contains everything up to here. */
  readonly minIndex: number
  /** Another one asks again. */
  readonly round: number
}

export interface Rows {
  /** Those that were wanted last and have come; null before the first. */
  readonly result: Result | null
  readonly hasMore: boolean
  readonly isLoading: boolean
  readonly error: unknown
}

/** A page of a table's rows. */
export function useRows(database: string, table: Table, wanted: RowsWanted): Rows {
  const connection = useConnection()
  const [rows, setRows] = useState<Rows>({ result: null, hasMore: false, isLoading: true, error: null })
  const body = toJson(bodyOf(database, table, wanted))
  useEffect(() => {
    const abort = new AbortController()
    setRows(before => ({ ...before, isLoading: true }))
    connection.request<RowsAnswer>('/query', { method: 'POST', body: bodyOf(database, table, wanted), signal: abort.signal }).then(
      answer => setRows({ result: { columns: columnsOf(answer), rows: answer.rows.slice(0, pageRows) }, hasMore: answer.rows.length > pageRows, isLoading: false, error: null }),
      (error: unknown) => !abort.signal.aborted && setRows(before => ({ ...before, isLoading: false, error })),
    )
    return () => abort.abort()
    // What is wanted is in the body.
  }, [connection, body, wanted.round])
  return rows
}

function bodyOf(database: string, table: Table, { condition, sort, page, minIndex }: RowsWanted) {
  const sorted = sort ? [{ [sort.column]: sort.isDescending ? 'desc' : 'asc' }] : []
  // With the key at the end no row is on two pages.
  const keys = table.columns.filter(c => c.primary_key && c.name !== sort?.column).map(c => ({ [c.name]: 'asc' }))
  const order = [...sorted, ...keys]
  return {
    command: 'search',
    database,
    table: table.name,
    limit: pageRows + 1,
    offset: page * pageRows,
    min_index: minIndex,
    ...(Object.keys(condition).length > 0 && { condition }),
    ...(order.length > 0 && { order_by: order }),
  }
}
