import { cellTextOf, isBlob, type Result } from '../sqlValues'

const charPx = 7.6
const paddingPx = 22
/** A blob's size stands before it. */
const blobMarkChars = 7

export const widthMinPx = 48
const usualMinPx = 72
const usualMaxPx = 340
/** Longer texts are read in a dialog. */
const fitMaxPx = 1200

/** What is left of the other columns where one would fill all of the grid. */
const restPx = 24

/** So many rows, evenly spread, tell how wide a column should be. */
const sampleRows = 200

/** Pixels that each column takes to show what is in it. */
export function fittingWidths({ columns, rows }: Result): number[] {
  const step = Math.max(1, Math.floor(rows.length / sampleRows))
  return columns.map(({ name, type }, i) => {
    let chars = Math.max(name.length + 2, type?.length ?? 0)
    for (let row = rows.length - 1; row >= 0; row -= step) {
      const value = rows[row]![i] ?? null
      chars = Math.max(chars, cellTextOf(value, type).length + (value !== null && isBlob(value) ? blobMarkChars : 0))
    }

    return Math.round(Math.max(usualMinPx, Math.min(fitMaxPx, chars * charPx + paddingPx)))
  })
}

/**
 * Pixels for each column: as it fits, but none so wide that it hides the others, as long as there are pixels that nobody wants.
 * @param fitting What each would take.
 * @param available How many pixels all of them have; 0 where that is not known yet.
 */
export function columnWidths(fitting: readonly number[], available: number): number[] {
  const max = available > 0 ? Math.max(usualMinPx, Math.min(usualMaxPx, available - restPx)) : usualMaxPx
  const widths = fitting.map(width => Math.min(width, max))
  let room = available - widths.reduce((a, b) => a + b, 0)
  return widths.map((width, i) => {
    const more = Math.max(0, Math.min(room, fitting[i]! - width))
    room -= more
    return width + more
  })
}
