import { tokenize } from './statements'

/** A part of a text. */
export interface Span {
  readonly from: number
  readonly to: number
}

/** SQLite's messages that name a token of the statement. */
const namings = [
  /^near "(?<near>[^]+)": syntax error/,
  /^unrecognized token: "(?<near>[^]+)"/,
  /^no such (?:column|table|view|index|trigger|function|module|collation sequence): "?(?<name>[^"\s]+)/,
  /^ambiguous column name: (?<name>\S+)/,
  /has no column named (?<name>\S+)/,
  /^(?:wrong number of arguments to|misuse of(?: aggregate| window)?) function:? (?<name>\w+)/,
  /^(?:table|index|view|trigger|there is already a table named) (?<name>\S+) already exists/,
]

/**
 * Where in a statement the fault is that SQLite speaks of; null where it names no token, or one that stands in several places, of which any may be meant.
 */
export function errorPlace(detail: string, sql: string): Span | null {
  if (detail === 'incomplete input') {
    const last = tokenize(sql).at(-1)
    return last ? { from: last.from, to: last.from + last.text.length } : null
  }

  const named = namings.map(naming => naming.exec(detail)?.groups).find(groups => groups !== undefined)
  if (!named) {
    return null
  }

  if (named.near !== undefined) {
    const places = tokenize(sql).filter(t => t.text === named.near || (named.near!.length > 1 && t.text.startsWith(named.near!)))
    return places.length === 1 ? { from: places[0]!.from, to: places[0]!.from + places[0]!.text.length } : null
  }

  // A name that is not there is wrong wherever it stands.
  const name = named.name!.split('.').at(-1)!.toLowerCase()
  const place = tokenize(sql).find(t => t.kind !== 'string' && unquoted(t.text).toLowerCase() === name)
  return place ? { from: place.from, to: place.from + place.text.length } : null
}

function unquoted(text: string): string {
  return /^["`[]/.test(text) ? text.slice(1, -1) : text
}
