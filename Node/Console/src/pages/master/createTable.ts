/** A column as it is being designed. */
export interface ColumnDraft {
  /** Tells the drafts apart while they have no names, or the same. */
  readonly key: number
  readonly name: string
  readonly type: string
  readonly isPrimaryKey: boolean
  readonly isNotNull: boolean
  readonly isUnique: boolean
  /** As it was typed; empty for none. */
  readonly defaultText: string
}

export interface TableDraft {
  readonly name: string
  readonly columns: readonly ColumnDraft[]
  /** Values of another type than the column's are refused. */
  readonly isStrict: boolean
}

export const types = ['INTEGER', 'TEXT', 'REAL', 'BLOB', 'NUMERIC', 'TIMESTAMP', 'BOOLEAN', 'JSON']

/** Those that a STRICT table may have. */
export const strictTypes = ['INTEGER', 'TEXT', 'REAL', 'BLOB', 'INT', 'ANY']

/** The statement that makes the table. */
export function createTableSql({ name, columns, isStrict }: TableDraft): string {
  const keys = columns.filter(c => c.isPrimaryKey)
  const lines = columns.map(c =>
    [
      quote(c.name || 'column'),
      c.type,
      c.isPrimaryKey && keys.length === 1 ? 'PRIMARY KEY' : '',
      c.isNotNull ? 'NOT NULL' : '',
      c.isUnique ? 'UNIQUE' : '',
      c.defaultText.trim() === '' ? '' : `DEFAULT ${defaultSql(c.defaultText.trim())}`,
    ]
      .filter(part => part !== '')
      .join(' '),
  )
  if (keys.length > 1) {
    lines.push(`PRIMARY KEY (${keys.map(c => quote(c.name)).join(', ')})`)
  }

  return `CREATE TABLE ${quote(name || 'table')} (\n${lines.map(l => `  ${l}`).join(',\n')}\n)${isStrict ? ' STRICT' : ''}`
}

/** Why the table cannot be made yet; null where it can. */
export function problemOf({ name, columns, isStrict }: TableDraft): string | null {
  if (name.trim() === '') {
    return 'Give the table a name.'
  }

  if (columns.some(c => c.name.trim() === '')) {
    return 'Give every column a name.'
  }

  const names = columns.map(c => c.name.trim().toLowerCase())
  const double = names.find((n, i) => names.indexOf(n) !== i)
  if (double !== undefined) {
    return `Two columns are called ${double}.`
  }

  const loose = columns.find(c => isStrict && !strictTypes.includes(c.type))
  return loose ? `A STRICT table has no type ${loose.type}: choose one of ${strictTypes.join(', ')}.` : null
}

/** A name that needs no quotes stays as it is, which reads better. */
function quote(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) && !keywords.has(name) ? name : `"${name.replaceAll('"', '""')}"`
}

/** What SQLite understands as it stands, and anything else as a text. */
function defaultSql(text: string): string {
  const isLiteral = /^([+-]?\d+(\.\d+)?([eE][+-]?\d+)?|NULL|TRUE|FALSE|CURRENT_(TIMESTAMP|DATE|TIME)|[xX]?'([^']|'')*'|\(.*\))$/i.test(text)
  return isLiteral ? text : `'${text.replaceAll("'", "''")}'`
}

const keywords = new Set(
  'add all alter and as autoincrement between by case check collate commit constraint create cross default deferrable delete desc distinct drop else end escape except exists foreign from full group having if in index inner insert intersect into is isnull join left like limit natural not notnull null offset on or order outer primary references right rollback select set table then to transaction union unique update using values when where with'.split(
    ' ',
  ),
)
