import type { SqlValue } from '../../api/types'
import { parse, type Typed } from '../../components/typedValues'
import { tokenize } from './statements'

/** What was typed for each parameter, by its key. */
export type TypedParameters = Readonly<Record<string, Typed>>

/** Values as a request has them: by name, or in order. */
export type Parameters = readonly SqlValue[] | Readonly<Record<string, SqlValue>>

/** Beyond it, SQLite refuses the statement. */
const positionMax = 32_766

const unset: Typed = { kind: 'null', text: '' }

/** The parameters of a statement in the order in which SQLite numbers them, as they are written; those without a name as `?` and their number. */
export function parametersOf(sql: string): readonly string[] {
  const found: string[] = []
  for (const { kind, text } of tokenize(sql)) {
    if (kind !== 'parameter') {
      continue
    }

    if (text.startsWith('?')) {
      const last = text === '?' ? found.length + 1 : Math.min(Number(text.slice(1)), positionMax)
      while (found.length < last) {
        found.push(`?${found.length + 1}`)
      }
    } else if (!found.includes(text)) {
      found.push(text)
    }
  }

  return found
}

/** What a value is kept under: `:a`, `@a` and `$a` are one and the same. */
export function keyOf(parameter: string): string {
  return parameter.startsWith('?') ? parameter : parameter.slice(1)
}

/** What was typed for a parameter; NULL where nothing was. */
export function typedFor(typed: TypedParameters, parameter: string): Typed {
  return typed[keyOf(parameter)] ?? unset
}

/** The values of a statement's parameters; undefined where it has none, null where what was typed for one is none. */
export function valuesFor(sql: string, typed: TypedParameters): Parameters | undefined | null {
  const parameters = parametersOf(sql)
  const values: [string, SqlValue][] = []
  for (const parameter of parameters) {
    const parsed = parse(typedFor(typed, parameter))
    if (parsed.problem !== undefined) {
      return null
    }

    values.push([keyOf(parameter), parsed.value ?? null])
  }

  return parameters.length === 0 ? undefined : parameters.some(p => p.startsWith('?')) ? values.map(([, value]) => value) : Object.fromEntries(values)
}

/** A number as SQLite writes it; `007` is none. */
const number = /^-?(0|[1-9]\d*)(\.\d+)?$/

/** What is typed on is a number if it looks like one, as long as nobody has said what it is. */
export function guessed(before: Typed, after: Typed): Typed {
  const isGuess = before.kind === 'null' || (before.kind === 'number') === number.test(before.text)
  return after.text !== before.text && (after.kind === before.kind || before.kind === 'null') && before.kind !== 'blob' && isGuess
    ? { kind: number.test(after.text) ? 'number' : 'text', text: after.text }
    : after
}
