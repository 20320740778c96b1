// JSON that keeps 64-bit integers exact, which SQLite has and JavaScript's numbers do not.

/** A number that may be too long for a double stands somewhere in the text. */
const longInteger = /\d{16}/

type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown

/** Parses JSON; integers beyond 2^53 become bigints where the browser tells their digits. */
export function parseJson(text: string): unknown {
  return longInteger.test(text) ? JSON.parse(text, exact as (key: string, value: unknown) => unknown) : JSON.parse(text)
}

const exact: Reviver = (_, value, context) =>
  typeof value === 'number' && !Number.isSafeInteger(value) && context?.source !== undefined && /^-?\d+$/.test(context.source)
    ? BigInt(context.source)
    : value

/** Whether this browser lets parseJson keep them. */
export const keepsLongIntegers = parseJson('9007199254740993') === 9007199254740993n

/** Writes JSON; bigints as plain digits, infinity as the node writes it. */
export function toJson(value: unknown, indent?: number): string {
  const marks: string[] = []
  // No browser of today lets a bigint through, so it travels as a string that cannot occur otherwise.
  const mark = (json: string) => `\u0000${marks.push(json) - 1}\u0000`
  const text = JSON.stringify(
    value,
    (_, v: unknown) => (typeof v === 'bigint' ? mark(v.toString()) : v === Infinity ? mark('9e999') : v === -Infinity ? mark('-9e999') : v),
    indent,
  )
  return marks.length === 0 ? text : text.replace(/"\\u0000(\d+)\\u0000"/g, (_, i: string) => marks[Number(i)] ?? '')
}
