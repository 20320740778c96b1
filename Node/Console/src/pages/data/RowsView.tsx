import { Button, Group, Loader, Text } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { notifications } from '@mantine/notifications'
import { useMemo, useState } from 'react'
import type { SqlValue } from '../../api/types'
import { ConfirmDialog } from '../../components/ConfirmDialog'
import { EmptyState } from '../../components/EmptyState'
import { ErrorAlert } from '../../components/ErrorAlert'
import { DataGrid } from '../../components/grid/DataGrid'
import type { CellPosition, Rectangle } from '../../components/grid/selection'
import { newId } from '../../components/newId'
import { ResultTools } from '../../components/ResultTools'
import { cellTextOf } from '../../components/sqlValues'
import { ValueDialog } from '../../components/ValueDialog'
import { formatInteger } from '../../format'
import { useConnection } from '../../state/cluster'
import { useSession } from '../../state/session'
import { CellEditor } from './CellEditor'
import { CountButton } from './CountButton'
import { insert, keyOf, readOnlyReason, remove, update, type Draft, type Place } from './editing'
import { FilterBar } from './FilterBar'
import { conditionOf, type Filter } from './filters'
import { InsertDialog } from './InsertDialog'
import { RowsToolbar } from './RowsToolbar'
import { SaveRowDialog } from './SaveRowDialog'
import { pageRows, useRows, type RowsWanted } from './useRows'

type Dialog = 'insert' | 'save' | 'delete' | null

/** The rows of a table, a page of them at a time, and what can be done with them. */
export function RowsView(place: Place) {
  const { database, table } = place
  const connection = useConnection()
  const mayWrite = useSession().can('write')
  const reason = readOnlyReason(place)
  const isEditable = mayWrite && reason === null
  const [filters, setFilters] = useState<Filter[]>([])
  const [settled] = useDebouncedValue(filters, 300)
  const { condition, problem } = useMemo(() => conditionOf(settled, table.columns), [settled, table.columns])
  const [view, setView] = useState<Pick<RowsWanted, 'sort' | 'page' | 'minIndex' | 'round'>>({ sort: null, page: 0, minIndex: 0, round: 0 })
  const { result, hasMore, isLoading, error } = useRows(database, table, { condition, ...view })
  const [selected, setSelected] = useState<Rectangle | null>(null)
  const [opened, setOpened] = useState<CellPosition | null>(null)
  const [draft, setDraft] = useState<Draft | null>(null)
  const [dialog, setDialog] = useState<Dialog>(null)
  const keyColumns = useMemo(() => new Set(table.columns.flatMap((c, i) => (c.primary_key ? [i] : []))), [table.columns])
  const sortIndex = table.columns.findIndex(c => c.name === view.sort?.column)
  const firstNumber = view.page * pageRows + 1

  const go = (change: Partial<typeof view>) => {
    if (draft) {
      askToFinish(draft)
      return
    }

    setOpened(null)
    setView(v => ({ ...v, ...change }))
  }
  const stored = (minIndex: number) => {
    setDraft(null)
    setOpened(null)
    setView(v => ({ ...v, minIndex: Math.max(v.minIndex, minIndex), round: v.round + 1 }))
  }
  const sortBy = (column: number) => {
    const name = table.columns[column]!.name
    const isAscending = view.sort?.column === name && !view.sort.isDescending
    go({ page: 0, sort: view.sort?.column !== name ? { column: name, isDescending: false } : isAscending ? { column: name, isDescending: true } : null })
  }
  const filter = (next: Filter[]) => {
    if (draft) {
      askToFinish(draft)
    } else {
      setFilters(next)
      setView(v => ({ ...v, page: 0 }))
    }
  }
  const askToFinish = ({ row }: Draft) =>
    notifications.show({ color: 'yellow', title: `Row ${firstNumber + row} has changes`, message: 'Save or discard them first.' })
  const open = (cell: CellPosition) => {
    if (isEditable && draft && draft.row !== cell.row) {
      askToFinish(draft)
    } else {
      setOpened(cell)
    }
  }
  const apply = ({ row, column }: CellPosition, value: SqlValue) => {
    setOpened(null)
    const values = new Map(draft?.values)
    if (isSame(value, result!.rows[row]![column]!)) {
      values.delete(column)
    } else {
      values.set(column, value)
    }

    setDraft(values.size === 0 ? null : { row, values })
  }
  const keys = result && selected ? result.rows.slice(selected.top, selected.bottom + 1).map((_, i) => keyOf(place, result, selected.top + i)) : []
  const deleteSelected = () => {
    if (draft) {
      askToFinish(draft)
    } else if (keys.length > 0 && keys.every(key => key !== null)) {
      setDialog('delete')
    } else if (keys.length > 0) {
      notifications.show({ color: 'yellow', message: 'A row whose primary key is NULL cannot be told from others: delete it on the page SQL.' })
    }
  }
  const isOpenedEditable =
    opened !== null && result !== null && isEditable && !table.columns[opened.column]!.generated && keyOf(place, result, opened.row) !== null

  return (
    <div className="data-rows">
      <FilterBar filters={filters} columns={table.columns} problem={problem} onChange={filter} />
      <RowsToolbar
        draftRow={draft && firstNumber + draft.row}
        changeCount={draft?.values.size ?? 0}
        selectedCount={keys.length}
        isEditable={isEditable}
        readOnlyReason={mayWrite ? reason : null}
        onAdd={() => setDialog('insert')}
        onDelete={deleteSelected}
        onOpen={() => selected && open({ row: selected.top, column: selected.left })}
        onFilter={() => filter([...filters, { id: newId(), column: table.columns[0]!.name, operator: 'eq', text: '' }])}
        onSave={() => setDialog('save')}
        onDiscard={() => setDraft(null)}
      />
      {error !== null && <ErrorAlert error={error} action={<Button variant="default" onClick={() => stored(0)}>Try again</Button>} />}
      <div className="data-grid">
        {result && result.rows.length === 0 && !isLoading ? (
          view.page > 0 ? (
            <EmptyState title="No more rows">Go back by a page.</EmptyState>
          ) : Object.keys(condition).length > 0 ? (
            <EmptyState title="No row fits">Change or remove filters to see others.</EmptyState>
          ) : (
            <EmptyState title={`${table.name} has no rows`}>{isEditable && 'Add one with the button above, or with INSERT on the page SQL.'}</EmptyState>
          )
        ) : (
          result && (
            <DataGrid
              label={`Rows of ${table.name}. Arrows move, Enter ${isEditable ? 'edits' : 'shows'} a value, on a column's name it sorts, + and - change a column's width${isEditable ? ', Delete deletes rows' : ''}.`}
              result={result}
              firstNumber={firstNumber}
              keyColumns={keyColumns}
              sort={view.sort && sortIndex >= 0 ? { column: sortIndex, isDescending: view.sort.isDescending } : null}
              onSort={sortBy}
              onOpen={open}
              onSelect={setSelected}
              drafts={draft}
              {...(isEditable && { onDelete: deleteSelected })}
              overlay={
                isOpenedEditable
                  ? {
                      cell: opened,
                      onClose: () => setOpened(null),
                      content: (
                        <CellEditor
                          column={table.columns[opened.column]!}
                          value={draft?.values.has(opened.column) ? draft.values.get(opened.column)! : result.rows[opened.row]![opened.column]!}
                          onApply={value => apply(opened, value)}
                          onCancel={() => setOpened(null)}
                        />
                      ),
                    }
                  : null
              }
            />
          )
        )}
      </div>
      <div className="data-foot">
        <Group gap={6}>
          <Button variant="default" size="compact-xs" disabled={view.page === 0} onClick={() => go({ page: view.page - 1 })}>
            Previous
          </Button>
          <Button variant="default" size="compact-xs" disabled={!hasMore} onClick={() => go({ page: view.page + 1 })}>
            Next
          </Button>
          <Text size="sm" className="tabular" role="status">
            {result && result.rows.length > 0 && `Rows ${formatInteger(firstNumber)} to ${formatInteger(firstNumber + result.rows.length - 1)}${hasMore ? '' : ', the last ones'}`}
          </Text>
          {isLoading && <Loader size={14} aria-label="Loading" />}
        </Group>
        <Group gap={6}>
          <CountButton key={view.round} {...place} />
          <Button variant="default" size="compact-xs" onClick={() => go({ round: view.round + 1 })}>
            Refresh
          </Button>
          {result && <ResultTools result={result} name={table.name} />}
        </Group>
      </div>
      {opened && result && !isOpenedEditable && (
        <ValueDialog column={result.columns[opened.column]!} value={result.rows[opened.row]![opened.column]!} onClose={() => setOpened(null)} />
      )}
      {dialog === 'insert' && <InsertDialog table={table} onClose={() => setDialog(null)} onInsert={async data => stored(await insert(connection, place, data))} />}
      {dialog === 'save' && draft && result && (
        <SaveRowDialog
          table={table}
          result={result}
          draft={draft}
          onClose={() => setDialog(null)}
          onSave={async () => stored(await update(connection, place, result, draft))}
        />
      )}
      {dialog === 'delete' && (
        <ConfirmDialog
          title={keys.length === 1 ? 'Delete the row?' : `Delete ${keys.length} rows?`}
          action={keys.length === 1 ? 'Delete the row' : `Delete ${keys.length} rows`}
          isDangerous
          onClose={() => setDialog(null)}
          onConfirm={async () => stored(await remove(connection, place, keys.filter(key => key !== null)))}
        >
          <Text size="sm">
            From {table.name} in {database}, on all nodes. This cannot be undone.
          </Text>
          <Text size="sm" mt={6} className="mono">
            {keys.slice(0, 5).map(describeKey).join('; ')}
            {keys.length > 5 && `; and ${keys.length - 5} more`}
          </Text>
        </ConfirmDialog>
      )}
    </div>
  )
}

function isSame(a: SqlValue, b: SqlValue): boolean {
  return a === b || (typeof a === 'object' && typeof b === 'object' && a?.base64 === b?.base64)
}

function describeKey(key: Record<string, SqlValue> | null): string {
  return Object.entries(key ?? {})
    .map(([name, value]) => `${name} = ${cellTextOf(value, null)}`)
    .join(', ')
}
