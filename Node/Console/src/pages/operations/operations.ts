import type { Role } from '../../api/types'

/** How a field is filled in. */
export type FieldKind = 'database' | 'table' | 'name' | 'json' | 'number' | 'flag'

export interface Field {
  /** Its name in the request. */
  readonly key: string
  readonly label: string
  readonly kind: FieldKind
  readonly isRequired?: boolean
  /** What it is for, in a sentence or two. */
  readonly help: string
  readonly placeholder?: string
}

export interface Operation {
  /** As the request has it. */
  readonly command: string
  readonly summary: string
  readonly role: Role
  /** Only the master does it. */
  readonly isMasters: boolean
  /** What it takes away cannot be had back. */
  readonly isDrop?: boolean
  readonly fields: readonly Field[]
}

const database: Field = {
  key: 'database',
  label: 'Database',
  kind: 'database',
  placeholder: 'main',
  help: 'The database to work in. main is there from the beginning, and is meant where nothing is said.',
}
const databaseName: Field = { ...database, kind: 'name', isRequired: true, placeholder: 'shop', help: 'The name of the database: up to 64 letters, digits, _ and -.' }
const table: Field = { key: 'table', label: 'Table', kind: 'table', isRequired: true, placeholder: 'users', help: 'The name of the table. Any text will do; it is quoted.' }
const condition: Field = {
  key: 'condition',
  label: 'Condition',
  kind: 'json',
  placeholder: '{"id": 1}',
  help: 'From column to the value that it must have, or to operators such as {"age": {"gte": 18}}. All of them must hold.',
}
const all: Field = { key: 'all', label: 'All rows', kind: 'flag', help: 'Says that every row is meant. It stands in place of a condition.' }
const ifExists: Field = { key: 'if_exists', label: 'If it exists', kind: 'flag', help: 'It is no error if there is none.' }
const ifNotExists: Field = { key: 'if_not_exists', label: 'If it does not exist', kind: 'flag', help: 'One that is there already is left as it is, and that is no error.' }

/** All operations, in the order of a database's life. */
export const operations: readonly Operation[] = [
  { command: 'CREATE_DB', summary: 'Creates a database on every node.', role: 'admin', isMasters: true, fields: [databaseName, ifNotExists] },
  {
    command: 'CREATE_TABLE',
    summary: 'Creates a table on every node.',
    role: 'schema',
    isMasters: true,
    fields: [
      database,
      { ...table, kind: 'name' },
      {
        key: 'columns',
        label: 'Columns',
        kind: 'json',
        isRequired: true,
        placeholder: '{"id": "int primary key", "name": "string not null"}',
        help: 'From each column to its type and constraints, in the order that the table is to have them.',
      },
      ifNotExists,
    ],
  },
  {
    command: 'INSERT',
    summary: 'Inserts a row, or several at once.',
    role: 'write',
    isMasters: false,
    fields: [
      database,
      table,
      { key: 'data', label: 'Data', kind: 'json', isRequired: true, placeholder: '{"name": "Ann"}', help: 'A row as an object from column to value, or an array of such rows. All of them are inserted, or none.' },
    ],
  },
  {
    command: 'UPDATE',
    summary: 'Changes the rows that fulfil a condition.',
    role: 'write',
    isMasters: false,
    fields: [
      database,
      table,
      { key: 'data', label: 'Data', kind: 'json', isRequired: true, placeholder: '{"name": "Bea"}', help: 'The new values, from column to value. Other columns stay as they are.' },
      condition,
      all,
    ],
  },
  { command: 'DELETE', summary: 'Deletes the rows that fulfil a condition.', role: 'write', isMasters: false, fields: [database, table, condition, all] },
  {
    command: 'SEARCH',
    summary: 'Reads the rows that fulfil a condition.',
    role: 'read',
    isMasters: false,
    fields: [
      database,
      table,
      condition,
      { key: 'columns', label: 'Columns', kind: 'json', placeholder: '["id", "name"]', help: 'Which columns to give back; all of them where nothing is said.' },
      { key: 'order_by', label: 'Order by', kind: 'json', placeholder: '"-id"', help: 'A column to sort by, or an array of them; with - before its name, downwards.' },
      { key: 'limit', label: 'Limit', kind: 'number', placeholder: '100', help: 'How many rows at most.' },
      { key: 'offset', label: 'Offset', kind: 'number', placeholder: '0', help: 'How many rows to leave out before the first one.' },
    ],
  },
  { command: 'DROP_TABLE', summary: 'Drops a table with all its rows, on every node.', role: 'schema', isMasters: true, isDrop: true, fields: [database, table, ifExists] },
  { command: 'DROP_DB', summary: 'Drops a database with all its tables, on every node.', role: 'admin', isMasters: true, isDrop: true, fields: [{ ...database, isRequired: true, help: 'The database that is to go.' }, ifExists] },
]

/** What was typed into the fields, by their keys; of flags `true` or nothing. */
export type Values = Readonly<Record<string, string>>

/** Makes the request of what was typed. */
export function requestOf(operation: Operation, values: Values): { request: Record<string, unknown>; problems: Record<string, string> } {
  const request: Record<string, unknown> = { command: operation.command }
  const problems: Record<string, string> = {}
  for (const { key, kind, isRequired } of operation.fields) {
    const text = (values[key] ?? '').trim()
    if (text === '') {
      if (isRequired) {
        problems[key] = 'Needed.'
      }
    } else if (kind === 'flag') {
      request[key] = true
    } else if (kind === 'number') {
      if (/^\d{1,15}$/.test(text)) {
        request[key] = Number(text)
      } else {
        problems[key] = 'A whole number, 0 or more.'
      }
    } else if (kind === 'json') {
      try {
        request[key] = JSON.parse(text) as unknown
      } catch (error) {
        problems[key] = `Not JSON: ${(error as SyntaxError).message}`
      }
    } else {
      request[key] = text
    }
  }

  return { request, problems }
}

/** The same request for a terminal. */
export function curlOf(origin: string, request: unknown, hasToken: boolean): string {
  const body = JSON.stringify(request).replaceAll("'", String.raw`'\''`)
  return `curl ${origin}/query${hasToken ? ' -H "Authorization: Bearer $DISTDB_TOKEN"' : ''} -d '${body}'`
}
