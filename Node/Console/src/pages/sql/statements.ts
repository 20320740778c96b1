/** A statement within a text. */
export interface StatementText {
  /** Where it begins, without what stands before it. */
  readonly from: number
  /** Where it ends, without its semicolon. */
  readonly to: number
  /** Where the part of the text ends that belongs to it: after its semicolon. */
  readonly end: number
  readonly text: string
}

interface Token {
  readonly kind: 'space' | 'string' | 'name' | 'parameter' | 'word' | 'semicolon' | 'other'
  readonly from: number
  readonly text: string
}

// As SQLite's tokenizer has them; what is not closed reaches to the end.
const tokens =
  /(?<space>\s+|--[^\n]*|\/\*[^]*?(?:\*\/|$))|(?<string>'(?:[^']|'')*(?:'|$))|(?<name>"(?:[^"]|"")*(?:"|$)|`(?:[^`]|``)*(?:`|$)|\[[^\]]*(?:\]|$))|(?<parameter>\?\d*|[:@$][\p{L}_][\p{L}\p{N}_$]*)|(?<word>[\p{L}_$][\p{L}\p{N}_$]*|\d[\w.]*)|(?<semicolon>;)|(?<other>[^])/gu

/** The tokens of a text without comments and space. */
export function tokenize(sql: string): Token[] {
  return [...sql.matchAll(tokens)].flatMap(match => {
    const [kind] = Object.entries(match.groups!).find(([, text]) => text !== undefined)!
    return kind === 'space' ? [] : [{ kind: kind as Token['kind'], from: match.index, text: match[0] }]
  })
}

/** The statements of a text. A trigger is one, with all that is in it. */
export function splitStatements(sql: string): StatementText[] {
  const statements: StatementText[] = []
  let begun: Token[] = []
  const finish = (end: number) => {
    const first = begun[0]
    const last = begun.at(-1)
    if (first && last) {
      const to = last.from + last.text.length
      statements.push({ from: first.from, to, end, text: sql.slice(first.from, to) })
    }

    begun = []
  }
  for (const token of tokenize(sql)) {
    if (token.kind === 'semicolon' && (!isTrigger(begun) || isTriggerEnd(begun))) {
      finish(token.from + 1)
    } else if (token.kind !== 'semicolon' || begun.length > 0) {
      begun.push(token)
    }
  }

  finish(sql.length)
  return statements
}

/** The statement that a place in the text belongs to: its own, or the next one, or the last. */
export function statementAt(statements: readonly StatementText[], position: number): StatementText | undefined {
  return statements.find(s => position <= s.end) ?? statements.at(-1)
}

/** Where statements are put between BEGIN and COMMIT: those; else null. DistDb takes them at once. */
export function withinTransaction<T extends { readonly text: string }>(statements: readonly T[]): T[] | null {
  const [first, last] = [statements[0]?.text ?? '', statements.at(-1)?.text ?? '']
  return statements.length > 2 && /^BEGIN(\s+(DEFERRED|IMMEDIATE|EXCLUSIVE))?(\s+TRANSACTION)?$/i.test(first) && /^(COMMIT|END)(\s+TRANSACTION)?$/i.test(last)
    ? statements.slice(1, -1)
    : null
}

/** Whether a statement may have changed what tables there are. */
export function isSchemaChange(sql: string): boolean {
  return /^(CREATE|ALTER|DROP)$/i.test(tokenize(sql)[0]?.text ?? '')
}

function isTrigger(begun: readonly Token[]): boolean {
  const words = begun.slice(0, 3).map(t => t.text.toUpperCase())
  return words[0] === 'CREATE' && (words[1] === 'TRIGGER' || (/^TEMP(ORARY)?$/.test(words[1] ?? '') && words[2] === 'TRIGGER'))
}

/** A trigger ends with END after a semicolon: that of a CASE has none before it. */
function isTriggerEnd(begun: readonly Token[]): boolean {
  return begun.at(-1)?.text.toUpperCase() === 'END' && begun.at(-2)?.kind === 'semicolon'
}
