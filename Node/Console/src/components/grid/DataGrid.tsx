import { Popover } from '@mantine/core'
import { useElementSize, useMergedRef } from '@mantine/hooks'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useId, useMemo, useRef, useState, type KeyboardEvent, type PointerEvent, type ReactNode } from 'react'
import type { SqlValue } from '../../api/types'
import { copyText } from '../clipboard'
import { toTsv, type Result } from '../sqlValues'
import { columnWidths, fittingWidths, widthMinPx } from './columnWidths'
import { GridBodyCell, GridHeaderCell, type GridPlace } from './GridCell'
import { isWithin, moved, rectangleOf, select, type CellPosition, type Rectangle, type Selection } from './selection'
import './grid.css'

const rowPx = 28
const headerPx = 44
const digitPx = 8
const overscanRows = 10
/** How much wider a key makes a column. */
const widthStepPx = 24

export interface GridSort {
  readonly column: number
  readonly isDescending: boolean
}

interface DataGridProps {
  /** What it shows, for those who cannot see it. */
  label: string
  result: Result
  /** The number of the first row. */
  firstNumber?: number
  /** Columns that have a key beside their name. */
  keyColumns?: ReadonlySet<number>
  sort?: GridSort | null
  /** Sorts by a column; without it, nothing can be sorted. */
  onSort?: (column: number) => void
  /** Enter or a double click on a cell. */
  onOpen: (cell: CellPosition) => void
  /** Delete, for the rows of the selection. */
  onDelete?: () => void
  onSelect?: (selection: Rectangle | null) => void
  /** Values that stand in place of others and are not stored yet. */
  drafts?: { readonly row: number; readonly values: ReadonlyMap<number, SqlValue> } | null
  /** What is shown over a cell, such as an editor. */
  overlay?: { readonly cell: CellPosition; readonly content: ReactNode; readonly onClose: () => void } | null
}

/** A table of values of which only what is seen is in the page, so that its size does not matter. Arrows move, Shift extends, Ctrl-C copies, Enter opens, + and - change a column's width. */
export function DataGrid({ label, result, firstNumber = 1, keyColumns, sort, onSort, onOpen, onDelete, onSelect, drafts, overlay }: DataGridProps) {
  const { columns, rows } = result
  const id = useId()
  const scroller = useRef<HTMLDivElement>(null)
  const [selection, setSelection] = useState<Selection | null>(null)
  const { ref: measured, width } = useElementSize()
  const ref = useMergedRef(scroller, measured)
  const gutterPx = String(firstNumber + rows.length).length * digitPx + 20
  const names = JSON.stringify(columns.map(c => c.name))
  const [resized, setResized] = useState<{ readonly names: string; readonly widths: ReadonlyMap<number, number> }>({ names, widths: new Map() })
  const fitting = useMemo(() => fittingWidths(result), [result])
  const widths = useMemo(() => {
    // Other rows of the same columns keep what was set by hand.
    const own = resized.names === names ? resized.widths : new Map<number, number>()
    return columnWidths(fitting, width - gutterPx).map((usual, i) => own.get(i) ?? usual)
  }, [fitting, width, gutterPx, resized, names])
  const resize = (column: number, px: number) =>
    setResized(before => ({ names, widths: new Map(before.names === names ? before.widths : []).set(column, Math.max(widthMinPx, Math.round(px))) }))
  const rowItems = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    overscan: overscanRows,
    paddingStart: headerPx,
    scrollPaddingStart: headerPx,
  })
  const columnItems = useVirtualizer({
    horizontal: true,
    count: columns.length,
    getScrollElement: () => scroller.current,
    estimateSize: i => widths[i]!,
    overscan: 2,
    paddingStart: gutterPx,
    scrollPaddingStart: gutterPx,
  })
  useEffect(() => columnItems.measure(), [widths, gutterPx, columnItems])
  useEffect(() => {
    setSelection(null)
    onSelect?.(null)
    scroller.current?.scrollTo({ top: 0 })
    // Another result, not another listener, begins anew.
  }, [result])

  const isCovered = overlay != null
  const wasCovered = useRef(false)
  useEffect(() => {
    if (wasCovered.current && !isCovered) {
      scroller.current?.focus()
    }

    wasCovered.current = isCovered
  }, [isCovered])

  const change = (next: Selection) => {
    setSelection(next)
    onSelect?.(rectangleOf(next))
  }
  const go = (cell: CellPosition, isExtending: boolean) => {
    change(isExtending && selection ? { anchor: selection.anchor, head: cell } : select(cell))
    columnItems.scrollToIndex(cell.column)
    if (cell.row >= 0) {
      rowItems.scrollToIndex(cell.row)
    }
  }
  const open = (cell: CellPosition) => (cell.row < 0 ? onSort?.(cell.column) : onOpen(cell))

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.target !== scroller.current || columns.length === 0 || (rows.length === 0 && !onSort)) {
      return
    }

    const isFar = event.ctrlKey || event.metaKey
    const head = selection?.head ?? { row: onSort && rows.length === 0 ? -1 : 0, column: 0 }
    const size = { rows: rows.length, columns: columns.length, page: Math.floor((scroller.current.clientHeight - headerPx) / rowPx), hasHeader: onSort !== undefined }
    const to = moved(head, event.key, isFar, size)
    if (to) {
      go(selection ? to : head, event.shiftKey)
    } else if (event.key === 'Enter' && selection) {
      open(head)
    } else if (event.key === 'Delete' && selection && onDelete) {
      onDelete()
    } else if ((event.key === '+' || event.key === '-') && !isFar && selection) {
      resize(head.column, widths[head.column]! + (event.key === '+' ? widthStepPx : -widthStepPx))
    } else if (isFar && event.key.toLowerCase() === 'c' && selection) {
      copy(result, rectangleOf(selection))
    } else if (isFar && event.key.toLowerCase() === 'a' && rows.length > 0) {
      change({ anchor: { row: 0, column: 0 }, head: { row: rows.length - 1, column: columns.length - 1 } })
    } else {
      return
    }

    event.preventDefault()
  }
  const onPointer = (event: PointerEvent, isExtending: boolean) => {
    const place = placeOf(event.target)
    if (!place || event.button > 0) {
      return
    }

    if (place.column >= 0) {
      change(isExtending && selection ? { anchor: selection.anchor, head: place } : select(place))
    } else {
      const first = isExtending && selection ? selection.anchor.row : place.row
      change({ anchor: { row: first, column: 0 }, head: { row: place.row, column: columns.length - 1 } })
    }
  }

  const rectangle = selection && rectangleOf(selection)
  const cellId = ({ row, column }: CellPosition) => `${id}-${row}-${column}`
  const place = (row: number, column: number, start: number, size: number): GridPlace => ({
    id: cellId({ row, column }),
    row,
    column,
    left: start,
    width: size,
    isActive: selection?.head.row === row && selection.head.column === column,
  })
  const shown = columnItems.getVirtualItems()
  return (
    <div
      ref={ref}
      className="grid"
      role="grid"
      tabIndex={0}
      aria-label={label}
      aria-rowcount={rows.length + 1}
      aria-colcount={columns.length}
      aria-multiselectable="true"
      aria-activedescendant={selection ? cellId(selection.head) : undefined}
      onKeyDown={onKeyDown}
      onPointerDown={event => onPointer(event, event.shiftKey)}
      onPointerMove={event => event.pointerType === 'mouse' && event.buttons === 1 && onPointer(event, true)}
      onDoubleClick={event => {
        const cell = placeOf(event.target)
        if (cell && cell.row >= 0 && cell.column >= 0) {
          open(cell)
        }
      }}
    >
      <div className="grid-space" role="presentation" style={{ width: columnItems.getTotalSize(), height: rowItems.getTotalSize() }}>
        <div className="grid-header" role="row" aria-rowindex={1} style={{ height: headerPx }}>
          <div className="grid-gutter" role="presentation" style={{ width: gutterPx }} />
          {shown.map(({ index, start, size }) => (
            <GridHeaderCell
              key={index}
              place={place(-1, index, start, size)}
              column={columns[index]!}
              isKey={keyColumns?.has(index) ?? false}
              direction={sort?.column === index ? (sort.isDescending ? 'descending' : 'ascending') : null}
              onResize={px => resize(index, px)}
              onFit={() => resize(index, fitting[index]!)}
              {...(onSort && { onSort: () => onSort(index) })}
            />
          ))}
        </div>
        {rowItems.getVirtualItems().map(({ index: row, start: top }) => (
          <div key={row} className="grid-row" role="row" aria-rowindex={row + 2} style={{ top, height: rowPx }}>
            <div className="grid-gutter" role="rowheader" data-row={row} style={{ width: gutterPx }}>
              {firstNumber + row}
            </div>
            {shown.map(({ index, start, size }) => {
              const draft = drafts?.row === row ? drafts.values.get(index) : undefined
              const cell = (
                <GridBodyCell
                  key={index}
                  place={place(row, index, start, size)}
                  value={draft === undefined ? (rows[row]![index] ?? null) : draft}
                  type={columns[index]!.type}
                  isSelected={rectangle !== null && isWithin(rectangle, row, index)}
                  isDraft={draft !== undefined}
                />
              )
              return overlay?.cell.row === row && overlay.cell.column === index ? (
                <Popover key={index} opened trapFocus returnFocus={false} position="bottom-start" shadow="md" onDismiss={overlay.onClose}>
                  <Popover.Target>{cell}</Popover.Target>
                  <Popover.Dropdown className="grid-overlay" onKeyDown={event => event.stopPropagation()}>
                    {overlay.content}
                  </Popover.Dropdown>
                </Popover>
              ) : (
                cell
              )
            })}
          </div>
        ))}
      </div>
    </div>
  )
}

/** The part of a result that is within a rectangle. */
export function partOf({ columns, rows }: Result, { top, bottom, left, right }: Rectangle): Result {
  return { columns: columns.slice(left, right + 1), rows: rows.slice(top, bottom + 1).map(row => row.slice(left, right + 1)) }
}

/** Copies cells; several rows for a spreadsheet. */
function copy(result: Result, rectangle: Rectangle): void {
  const part = partOf(result, rectangle)
  const count = part.rows.length * part.columns.length
  void copyText(toTsv(part, false), count === 1 ? 'the value' : `${count} values`)
}

/** The cell that was hit, with column -1 for a row's number. */
function placeOf(target: EventTarget): CellPosition | null {
  const element = target instanceof Element ? target.closest<HTMLElement>('[data-row]') : null
  return element ? { row: Number(element.dataset.row), column: Number(element.dataset.column ?? -1) } : null
}
