import { toJson } from '../api/json'
import type { SqlValue } from '../api/types'

// What SQLite's values look like to people and to other programs.

/** A column of a result: what it is called, and its type as declared or, in an expression, as its first value is. */
export interface ResultColumn {
  readonly name: string
  readonly type: string | null
}

/** A result, as far as it is to be shown or exported. */
export interface Result {
  readonly columns: readonly ResultColumn[]
  readonly rows: readonly (readonly SqlValue[])[]
}

/** The columns of an answer. */
export function columnsOf({ columns, types }: { columns: readonly string[]; types: readonly (string | null)[] }): ResultColumn[] {
  return columns.map((name, i) => ({ name, type: types[i] ?? null }))
}

/** Which values a column prefers (https://www.sqlite.org/datatype3.html, section 3.1). */
export type Affinity = 'integer' | 'text' | 'blob' | 'real' | 'numeric'

/** The affinity of a column that was declared with that type. */
export function affinityOf(type: string | null): Affinity {
  const t = (type ?? '').toUpperCase()
  return t.includes('INT')
    ? 'integer'
    : /CHAR|CLOB|TEXT/.test(t)
      ? 'text'
      : t === '' || t.includes('BLOB')
        ? 'blob'
        : /REAL|FLOA|DOUB/.test(t)
          ? 'real'
          : 'numeric'
}

export function isBlob(value: SqlValue): value is { base64: string } {
  return typeof value === 'object' && value !== null
}

/** The text of a value: in full, with blobs as `x'…'` in hexadecimal. NULL is empty. */
export function textOf(value: SqlValue, type: string | null): string {
  if (value === null) {
    return ''
  }

  if (isBlob(value)) {
    return `x'${hexOf(value.base64)}'`
  }

  // A REAL without a fraction has lost its point in JavaScript.
  return typeof value === 'number' && Number.isSafeInteger(value) && affinityOf(type) === 'real' ? `${value}.0` : String(value)
}

const shownChars = 300
const shownBytes = 16

/** The text of a value in a cell: one line that is cut where it is long. */
export function cellTextOf(value: SqlValue, type: string | null): string {
  if (value !== null && isBlob(value)) {
    const hex = hexOf(value.base64.slice(0, Math.ceil(shownBytes / 3) * 4)).slice(0, 2 * shownBytes)
    const bytes = bytesIn(value.base64)
    return `x'${hex}${bytes > shownBytes ? '…' : ''}'`
  }

  const text = textOf(value, type)
  return (text.length > shownChars ? `${text.slice(0, shownChars)}…` : text).replace(/\s+/g, ' ')
}

/** How many bytes base64 stands for. */
export function bytesIn(base64: string): number {
  return (base64.length / 4) * 3 - (base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0)
}

/** Hexadecimal digits of what base64 stands for. */
export function hexOf(base64: string): string {
  return Array.from(atob(base64), char => char.charCodeAt(0).toString(16).padStart(2, '0')).join('')
}

/** Base64 of what hexadecimal digits stand for; null where they are none, or an odd number of them. */
export function base64OfHex(hex: string): string | null {
  return /^([0-9a-f]{2})*$/i.test(hex) ? btoa((hex.match(/../g) ?? []).map(pair => String.fromCharCode(parseInt(pair, 16))).join('')) : null
}

/** CSV (RFC 4180) as the node writes it: NULL is an empty field, empty text `""`, blobs are in base64. */
export function toCsv({ columns, rows }: Result): string {
  const field = (value: SqlValue, type: string | null) => {
    const text = value !== null && isBlob(value) ? value.base64 : textOf(value, type)
    return value !== null && (text === '' || /[",\r\n]/.test(text)) ? `"${text.replaceAll('"', '""')}"` : text
  }
  const lines = [columns.map(c => field(c.name, null)), ...rows.map(row => row.map((value, i) => field(value, columns[i]!.type)))]
  return lines.map(line => `${line.join(',')}\r\n`).join('')
}

/** JSON: an array with an object for each row; integers in full, blobs as `{"base64": …}`. */
export function toJsonRows({ columns, rows }: Result): string {
  const names = uniqueNames(columns.map(c => c.name))
  const objects = rows.map(row => toJson(Object.fromEntries(row.map((value, i) => [names[i]!, value]))))
  return objects.length === 0 ? '[]\n' : `[\n  ${objects.join(',\n  ')}\n]\n`
}

/** Lines with tabs between the values, for spreadsheets. */
export function toTsv(result: Result, withNames: boolean): string {
  const cell = (value: SqlValue, type: string | null) => {
    const text = textOf(value, type)
    return /[\t\n\r"]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  const lines = result.rows.map(row => row.map((value, i) => cell(value, result.columns[i]!.type)).join('\t'))
  return (withNames ? [result.columns.map(c => cell(c.name, null)).join('\t'), ...lines] : lines).join('\n')
}

/** `a, a` becomes `a, a_2`: an object has each name once. */
function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set<string>()
  return names.map(name => {
    let unique = name
    for (let n = 2; taken.has(unique); n++) {
      unique = `${name}_${n}`
    }

    taken.add(unique)
    return unique
  })
}
