/** A cell by its position. Row -1 is the header. */
export interface CellPosition {
  readonly row: number
  readonly column: number
}

/** A rectangle of cells: the one where it was begun, and the one where it ends now, which has the focus. */
export interface Selection {
  readonly anchor: CellPosition
  readonly head: CellPosition
}

/** The same with its smallest and largest positions, both inclusive. */
export interface Rectangle {
  readonly top: number
  readonly bottom: number
  readonly left: number
  readonly right: number
}

export interface GridSize {
  readonly rows: number
  readonly columns: number
  /** How many rows are seen at once. */
  readonly page: number
  /** Whether the header can have the focus. */
  readonly hasHeader: boolean
}

export function select(cell: CellPosition): Selection {
  return { anchor: cell, head: cell }
}

export function rectangleOf({ anchor, head }: Selection): Rectangle {
  return {
    top: Math.max(0, Math.min(anchor.row, head.row)),
    bottom: Math.max(anchor.row, head.row),
    left: Math.min(anchor.column, head.column),
    right: Math.max(anchor.column, head.column),
  }
}

export function isWithin({ top, bottom, left, right }: Rectangle, row: number, column: number): boolean {
  return row >= top && row <= bottom && column >= left && column <= right
}

/** Where a key leads from a cell; null where it is none that leads anywhere. */
export function moved(from: CellPosition, key: string, isFar: boolean, { rows, columns, page, hasHeader }: GridSize): CellPosition | null {
  const first = hasHeader ? -1 : 0
  const to = (row: number, column: number) => ({
    row: Math.max(first, Math.min(rows - 1, row)),
    column: Math.max(0, Math.min(columns - 1, column)),
  })
  switch (key) {
    case 'ArrowUp':
      return isFar ? to(0, from.column) : to(from.row - 1, from.column)
    case 'ArrowDown':
      return isFar ? to(rows - 1, from.column) : to(from.row + 1, from.column)
    case 'ArrowLeft':
      return isFar ? to(from.row, 0) : to(from.row, from.column - 1)
    case 'ArrowRight':
      return isFar ? to(from.row, columns - 1) : to(from.row, from.column + 1)
    case 'PageUp':
      return to(Math.max(0, from.row - page), from.column)
    case 'PageDown':
      return to(from.row + page, from.column)
    case 'Home':
      return isFar ? to(0, 0) : to(from.row, 0)
    case 'End':
      return isFar ? to(rows - 1, columns - 1) : to(from.row, columns - 1)
    default:
      return null
  }
}
