import type { Column, SqlValue } from '../api/types'
import { affinityOf, base64OfHex, hexOf, isBlob, textOf } from './sqlValues'

/** How what is typed is meant. `default` leaves a column to its default. */
export type Kind = 'text' | 'number' | 'blob' | 'null' | 'default'

/** A value while it is typed. */
export interface Typed {
  readonly kind: Kind
  readonly text: string
}

export type Parsed = { readonly value: SqlValue | undefined; readonly problem?: undefined } | { readonly problem: string }

/** What a column's values mostly are. */
export function usualKind(type: string): Kind {
  const affinity = affinityOf(type)
  return affinity === 'integer' || affinity === 'real' || (affinity === 'numeric' && !/DATE|TIME|JSON/.test(type.toUpperCase())) ? 'number' : type === 'BLOB' ? 'blob' : 'text'
}

/** A value, for changing it. */
export function typedOf(value: SqlValue, { type }: Pick<Column, 'type'>): Typed {
  return value === null
    ? { kind: 'null', text: '' }
    : isBlob(value)
      ? { kind: 'blob', text: hexOf(value.base64) }
      : { kind: typeof value === 'string' ? 'text' : 'number', text: textOf(value, type) }
}

const integer = /^[+-]?\d+$/
const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i
const int64Max = 2n ** 63n - 1n
const int64Min = -(2n ** 63n)

/** What was typed as a value; undefined for the default. */
export function parse({ kind, text }: Typed): Parsed {
  switch (kind) {
    case 'default':
      return { value: undefined }
    case 'null':
      return { value: null }
    case 'text':
      return { value: text }
    case 'blob': {
      const base64 = base64OfHex(text.replace(/\s+/g, ''))
      return base64 === null ? { problem: 'Two hexadecimal digits for each byte, such as 00ff.' } : { value: { base64 } }
    }
    case 'number': {
      const trimmed = text.trim()
      if (integer.test(trimmed)) {
        const exact = BigInt(trimmed.replace('+', ''))
        return exact > int64Max || exact < int64Min
          ? { problem: 'An integer has 64 bits: from -9223372036854775808 to 9223372036854775807.' }
          : { value: Number.isSafeInteger(Number(exact)) ? Number(exact) : exact }
      }

      const value = Number(trimmed)
      return decimal.test(trimmed) && Number.isFinite(value) ? { value } : { problem: 'A number such as 12, -3.5 or 1e6. For anything else choose Text.' }
    }
  }
}
