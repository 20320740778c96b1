import { Table } from '@mantine/core'
import type { ReactNode } from 'react'

interface RightColumn {
  readonly name: string
  readonly align: 'right'
}

/** A column that stands at the right, as numbers do. */
export function right(name: string): RightColumn {
  return { name, align: 'right' }
}

interface ScrollTableProps {
  /** What it is a table of, for who cannot see. */
  label: string
  /** The columns' names; '' is over buttons. */
  columns: readonly (string | RightColumn)[]
  className?: string
  /** The rows; each cell has its column's name as its data-label, but for those of buttons. */
  children: ReactNode
}

/** A table that scrolls sideways where it is too wide, by the keyboard too; on a phone each row is a card. */
export function ScrollTable({ label, columns, className, children }: ScrollTableProps) {
  return (
    <Table.ScrollContainer minWidth={0} type="native" className={className ? `card-table ${className}` : 'card-table'} tabIndex={0} role="region" aria-label={label}>
      <Table verticalSpacing={6} horizontalSpacing="sm">
        <Table.Thead>
          <Table.Tr>
            {columns.map(column =>
              typeof column === 'string' ? (
                <Table.Th key={column}>{column}</Table.Th>
              ) : (
                <Table.Th key={column.name} ta={column.align}>
                  {column.name}
                </Table.Th>
              ),
            )}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>{children}</Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  )
}
