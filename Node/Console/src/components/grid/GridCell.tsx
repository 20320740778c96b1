import type { PointerEvent, Ref } from 'react'
import type { SqlValue } from '../../api/types'
import { formatBytes } from '../../format'
import { DownIcon, KeyIcon, UpIcon } from '../../icons'
import { bytesIn, cellTextOf, isBlob, type ResultColumn } from '../sqlValues'

/** Where a cell is. */
export interface GridPlace {
  readonly id: string
  readonly row: number
  readonly column: number
  /** Pixels. */
  readonly left: number
  readonly width: number
  /** Whether it has the focus. */
  readonly isActive: boolean
}

interface GridHeaderCellProps {
  place: GridPlace
  column: ResultColumn
  isKey: boolean
  /** How the rows are sorted by it, if they are. */
  direction: 'ascending' | 'descending' | null
  onSort?: () => void
  /** The column is to be so many pixels wide. */
  onResize: (px: number) => void
  /** The column is to be as wide as what is in it. */
  onFit: () => void
}

/** A column's name and type. A click sorts, where that is possible; its right edge is dragged to make it wider, and clicked twice to make it fit. */
export function GridHeaderCell({ place, column, isKey, direction, onSort, onResize, onFit }: GridHeaderCellProps) {
  const drag = (event: PointerEvent<HTMLSpanElement>) => {
    if (event.currentTarget.hasPointerCapture(event.pointerId)) {
      onResize(event.clientX - event.currentTarget.parentElement!.getBoundingClientRect().left)
    }
  }
  return (
    <div
      id={place.id}
      className="grid-head-cell"
      role="columnheader"
      aria-colindex={place.column + 1}
      {...(onSort && { 'aria-sort': direction ?? 'none', onClick: onSort, 'data-sortable': true })}
      data-active={place.isActive || undefined}
      style={{ left: place.left, width: place.width }}
      title={column.type ? `${column.name} ${column.type}` : column.name}
    >
      <span className="grid-head-name">
        {isKey && <KeyIcon size={12} aria-hidden={false} role="img" aria-label="Primary key:" />}
        <span>{column.name}</span>
        {direction === 'ascending' && <UpIcon size={14} />}
        {direction === 'descending' && <DownIcon size={14} />}
      </span>
      <span className="grid-head-type">{column.type?.toLowerCase() ?? ''}</span>
      <span
        className="grid-resize"
        aria-hidden="true"
        onPointerDown={event => {
          event.stopPropagation()
          event.currentTarget.setPointerCapture(event.pointerId)
        }}
        onPointerMove={drag}
        onClick={event => event.stopPropagation()}
        onDoubleClick={event => {
          event.stopPropagation()
          onFit()
        }}
      />
    </div>
  )
}

interface GridBodyCellProps {
  ref?: Ref<HTMLDivElement>
  place: GridPlace
  value: SqlValue
  type: string | null
  isSelected: boolean
  /** Whether the value is yet to be stored. */
  isDraft: boolean
}

/** A value. */
export function GridBodyCell({ ref, place, value, type, isSelected, isDraft }: GridBodyCellProps) {
  return (
    <div
      ref={ref}
      id={place.id}
      className="grid-cell"
      role="gridcell"
      aria-colindex={place.column + 1}
      aria-selected={isSelected}
      data-row={place.row}
      data-column={place.column}
      data-active={place.isActive || undefined}
      data-draft={isDraft || undefined}
      data-number={typeof value === 'number' || typeof value === 'bigint' || undefined}
      style={{ left: place.left, width: place.width }}
    >
      <CellValue value={value} type={type} />
    </div>
  )
}

/** A value in one line: NULL and blobs look like nothing that text could be. */
export function CellValue({ value, type }: { value: SqlValue; type: string | null }) {
  if (value === null) {
    return <span className="cell-mark">NULL</span>
  }

  if (isBlob(value)) {
    return (
      <>
        <span className="cell-mark">{formatBytes(bytesIn(value.base64))}</span> {cellTextOf(value, type)}
      </>
    )
  }

  return cellTextOf(value, type)
}
