import { ApiError } from '../../api/errors'
import { keepsLongIntegers } from '../../api/json'
import type { Connection } from '../../api/connection'
import type { SqlValue, Table, WriteAnswer } from '../../api/types'
import { newId } from '../../components/newId'
import type { Result } from '../../components/sqlValues'

/** A row that is being changed: the new values by the position of their column. */
export interface Draft {
  readonly row: number
  readonly values: ReadonlyMap<number, SqlValue>
}

/** A table of a database. */
export interface Place {
  readonly database: string
  readonly table: Table
}

/** Why nobody can change rows of a table here; null where that can be done. */
export function readOnlyReason({ database, table }: Place): string | null {
  if (database === 'history_query') {
    return 'The cluster itself writes the log of queries.'
  }

  if (table.kind === 'view') {
    return 'A view shows rows of other tables: change them there.'
  }

  if (!table.columns.some(c => c.primary_key)) {
    return `${table.kind === 'virtual' ? 'A virtual table' : 'This table'} has no primary key to tell a row by: change rows on the page SQL.`
  }

  return keepsLongIntegers ? null : 'This browser damages integers beyond 2^53: use a newer one.'
}

/** The values of the primary key of a row; null where one of them is NULL, which tells no row from another. */
export function keyOf({ table }: Place, { rows }: Result, row: number): Record<string, SqlValue> | null {
  const key = table.columns.flatMap((c, i) => (c.primary_key ? [[c.name, rows[row]![i]!] as const] : []))
  return key.some(([, value]) => value === null) ? null : Object.fromEntries(key)
}

/** Stores a changed row, if it still is as it was shown; gives the log index of that. */
export async function update(connection: Connection, place: Place, result: Result, { row, values }: Draft): Promise<number> {
  const name = (column: number) => place.table.columns[column]!.name
  const columns = [...values.keys()]
  const { rows_affected, index } = await write(connection, place, {
    command: 'update',
    data: Object.fromEntries(columns.map(c => [name(c), values.get(c)!])),
    condition: { ...Object.fromEntries(columns.map(c => [name(c), result.rows[row]![c]!])), ...keyOf(place, result, row) },
  })
  if (rows_affected === 0) {
    throw new ApiError(409, {
      code: 'conflict',
      title: 'Somebody else was faster',
      detail: 'The row was changed or deleted since it was shown, and is as they left it. Discard your changes, refresh, and try again.',
    })
  }

  return index
}

/** Inserts a row; columns that are left out get their defaults. Gives the log index of that. */
export async function insert(connection: Connection, place: Place, data: Record<string, SqlValue>): Promise<number> {
  return (await write(connection, place, { command: 'insert', data })).index
}

/** Deletes rows, by one command where the key is one column; gives the log index of that. */
export async function remove(connection: Connection, place: Place, keys: readonly Record<string, SqlValue>[]): Promise<number> {
  const names = Object.keys(keys[0]!)
  const conditions = names.length === 1 ? [{ [names[0]!]: { in: keys.map(key => key[names[0]!]!) } }] : keys
  let index = 0
  for (const condition of conditions) {
    index = (await write(connection, place, { command: 'delete', condition })).index
  }

  return index
}

function write(connection: Connection, { database, table }: Place, command: object): Promise<WriteAnswer> {
  return connection.request<WriteAnswer>('/query', { method: 'POST', body: { ...command, database, table: table.name, id: newId() } })
}
