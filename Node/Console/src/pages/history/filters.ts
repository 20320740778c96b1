import type { SqlValue } from '../../api/types'

/** What is looked for; empty text and null for everything. */
export interface LogFilters {
  readonly node: number | null
  readonly client: string
  readonly database: string
  readonly table: string
  readonly operation: string
  readonly text: string
  /** In the reader's own time zone, as `<input type="datetime-local">` has it. */
  readonly from: string
  readonly to: string
}

export const noFilters: LogFilters = { node: null, client: '', database: '', table: '', operation: '', text: '', from: '', to: '' }

/** Conditions on `history_query.queries`, and their parameters. */
export function conditionsOf({ node, client, database, table, operation, text, from, to }: LogFilters): { conditions: string[]; params: SqlValue[] } {
  const parts: [condition: string, value: SqlValue][] = [
    ['node = ?', node],
    ['client = ?', client.trim()],
    ['"database" = ? COLLATE NOCASE', database],
    ['"table" = ? COLLATE NOCASE', table.trim()],
    ['operation = ? COLLATE NOCASE', operation.trim()],
    ['instr(lower(query), lower(?)) > 0', text],
    ['time >= ?', utcOf(from)],
    ['time <= ?', utcOf(to)],
  ]
  const used = parts.filter(([, value]) => value !== null && value !== '')
  return { conditions: used.map(([condition]) => condition), params: used.map(([, value]) => value) }
}

/** As the log has times: `2026-01-31 12:00:00.000`; empty for none. */
function utcOf(local: string): string {
  const time = new Date(local)
  return Number.isNaN(time.getTime()) ? '' : time.toISOString().replace('T', ' ').replace('Z', '')
}
