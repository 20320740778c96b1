import { Button, Group, Modal, Stack, TextInput } from '@mantine/core'
import { useState, type FormEvent } from 'react'

interface SaveDialogProps {
  name: string
  taken: readonly string[]
  onSave: (name: string) => void
  onClose: () => void
}

/** Asks what a query is to be called. */
export function SaveDialog({ name: initial, taken, onSave, onClose }: SaveDialogProps) {
  const [name, setName] = useState(initial)
  const wanted = name.trim()
  const isReplacing = taken.includes(wanted)
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (wanted !== '') {
      onSave(wanted)
      onClose()
    }
  }
  return (
    <Modal opened onClose={onClose} title="Save the query" closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={submit}>
        <Stack gap="sm">
          <TextInput
            label="Name"
            description={isReplacing ? 'There is one of this name: it is replaced.' : 'Kept in this browser, for this address.'}
            value={name}
            onChange={event => setName(event.currentTarget.value)}
            maxLength={60}
            data-autofocus
            autoComplete="off"
          />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" disabled={wanted === ''}>
              {isReplacing ? 'Replace' : 'Save'}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
