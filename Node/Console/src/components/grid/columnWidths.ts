import { cellTextOf, isBlob, type Result } from '../sqlValues'

const charPx = 7.6
const paddingPx = 22
/** A blob's size stands before it. */
const blobMarkChars = 7
const widthMinPx = 72
const widthMaxPx = 340

/** So many rows, evenly spread, tell how wide a column should be. */
const sampleRows = 200

/** Pixels for each column, by what is in it. */
export function columnWidths({ columns, rows }: Result): number[] {
  const step = Math.max(1, Math.floor(rows.length / sampleRows))
  return columns.map(({ name, type }, i) => {
    let chars = Math.max(name.length + 2, type?.length ?? 0)
    for (let row = rows.length - 1; row >= 0; row -= step) {
      const value = rows[row]![i] ?? null
      chars = Math.max(chars, cellTextOf(value, type).length + (value !== null && isBlob(value) ? blobMarkChars : 0))
    }

    return Math.round(Math.max(widthMinPx, Math.min(widthMaxPx, chars * charPx + paddingPx)))
  })
}
