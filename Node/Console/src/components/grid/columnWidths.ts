import { cellTextOf, type Result } from '../sqlValues'

const charPx = 7.6
const paddingPx = 22
const widthMinPx = 72
const widthMaxPx = 340

/** So many rows, evenly spread, tell how wide a column should be. */
const sampleRows = 200

/** Pixels for each column, by what is in it. */
export function columnWidths({ columns, rows }: Result): number[] {
  const step = Math.max(1, Math.floor(rows.length / sampleRows))
  return columns.map(({ name, type }, i) => {
    let chars = Math.max(name.length + 2, type?.length ?? 0)
    for (let row = 0; row < rows.length; row += step) {
      chars = Math.max(chars, cellTextOf(rows[row]![i] ?? null, type).length)
    }

    return Math.round(Math.max(widthMinPx, Math.min(widthMaxPx, chars * charPx + paddingPx)))
  })
}
