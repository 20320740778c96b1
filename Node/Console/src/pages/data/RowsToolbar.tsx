import { Button, Text } from '@mantine/core'
import { PlusIcon } from '../../icons'

interface RowsToolbarProps {
  /** The number of the row that is being changed; null for none. */
  draftRow: number | null
  changeCount: number
  selectedCount: number
  isEditable: boolean
  /** Why it is not, where that is to be told. */
  readOnlyReason: string | null
  onAdd: () => void
  onDelete: () => void
  onOpen: () => void
  onFilter: () => void
  onSave: () => void
  onDiscard: () => void
}

/** What can be done with the rows of a table. While one of them is being changed, that comes first. */
export function RowsToolbar({ draftRow, changeCount, selectedCount, isEditable, readOnlyReason, ...on }: RowsToolbarProps) {
  const open = (
    <Button variant="default" disabled={selectedCount === 0} onClick={on.onOpen}>
      {isEditable ? 'Edit the value' : 'Show the value'}
    </Button>
  )
  if (draftRow !== null) {
    return (
      <div className="data-tools" data-draft>
        <Text size="sm" role="status">
          Row {draftRow}: {changeCount === 1 ? '1 change' : `${changeCount} changes`}
        </Text>
        <Button onClick={on.onSave}>Save</Button>
        <Button variant="default" onClick={on.onDiscard}>
          Discard
        </Button>
        {open}
      </div>
    )
  }

  return (
    <div className="data-tools">
      {isEditable && (
        <>
          <Button leftSection={<PlusIcon size={14} />} onClick={on.onAdd}>
            Add a row
          </Button>
          <Button variant="default" disabled={selectedCount === 0} onClick={on.onDelete}>
            {selectedCount > 1 ? `Delete ${selectedCount} rows` : 'Delete the row'}
          </Button>
        </>
      )}
      {open}
      <Button variant="default" onClick={on.onFilter}>
        Add a filter
      </Button>
      {readOnlyReason !== null && (
        <Text size="xs" c="dimmed">
          Read-only. {readOnlyReason}
        </Text>
      )}
    </div>
  )
}
