import { parseJson } from '../../api/json'
import type { RowsAnswer, SqlValue, TransactionAnswer, WriteAnswer } from '../../api/types'

/** What a page can hold: more would make the browser slow. */
export const rowsMax = 100_000
const charsMax = 64 * 1024 * 1024

/** What a node answers to a statement or to a transaction. */
export type Answer = (RowsAnswer | WriteAnswer | TransactionAnswer) & {
  /** Why rows are missing at the end: there were too many for the page, or the node broke the answer off. */
  readonly cut?: 'full' | 'broken'
}

/** Reads an answer up to as many rows as a page can hold. What comes after them is not waited for. */
export async function readAnswer(response: Response): Promise<Answer> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  const rows = new RowCounter()
  let text = ''
  for (;;) {
    let piece: ReadableStreamReadResult<string>
    try {
      piece = await reader.read()
    } catch (error) {
      if (rows.count === 0 || (error instanceof DOMException && error.name === 'AbortError')) {
        throw error
      }

      return cutAnswer(text, rows, response, 'broken')
    }

    if (piece.done) {
      return parseJson(text) as Answer
    }

    text += piece.value
    rows.scan(piece.value)
    if (rows.isFull || text.length > charsMax) {
      await reader.cancel()
      return cutAnswer(text, rows, response, 'full')
    }
  }
}

function cutAnswer(text: string, rows: RowCounter, { headers }: Response, cut: 'full' | 'broken'): Answer {
  const whole = parseJson(`${text.slice(0, rows.end)}]}`) as { columns: string[]; types: (string | null)[]; rows: SqlValue[][] }
  return { ...whole, index: Number(headers.get('X-DistDb-Index')), node: Number(headers.get('X-DistDb-Node')), elapsed_ms: NaN, cut }
}

/** Counts the rows in the text of an answer, `{"columns":[…],"types":[…],"rows":[[…],[…]` and so on, while it arrives. */
class RowCounter {
  count = 0
  /** Where the last row ended that is kept. */
  end = 0
  #position = 0
  #depth = 0
  #isInString = false
  #isEscaped = false

  get isFull(): boolean {
    return this.count > rowsMax
  }

  scan(piece: string): void {
    for (let i = 0; i < piece.length && !this.isFull; i++) {
      this.#take(piece.charCodeAt(i), this.#position + i + 1)
    }

    this.#position += piece.length
  }

  #take(char: number, end: number): void {
    if (this.#isInString) {
      this.#isInString = this.#isEscaped || char !== quote
      this.#isEscaped = !this.#isEscaped && char === backslash
    } else if (char === quote) {
      this.#isInString = true
    } else if (char === openBracket || char === openBrace) {
      this.#depth++
    } else if (char === closeBracket || char === closeBrace) {
      this.#depth--
      // In a transaction's results nothing but the results themselves, which are objects, ends there.
      if (char === closeBracket && this.#depth === 2) {
        this.count++
        this.end = this.isFull ? this.end : end
      }
    }
  }
}

const [quote, backslash, openBracket, closeBracket, openBrace, closeBrace] = ['"', '\\', '[', ']', '{', '}'].map(c => c.charCodeAt(0))
