import { Button, Group, Modal, Stack, Text } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import type { Column, SqlValue, Table } from '../../api/types'
import { ErrorAlert } from '../../components/ErrorAlert'
import { useAction } from '../../state/action'
import { parse, type Typed } from '../../components/typedValues'
import { ValueInput } from '../../components/ValueInput'

interface InsertDialogProps {
  table: Table
  onInsert: (data: Record<string, SqlValue>) => Promise<unknown>
  onClose: () => void
}

/** Asks for the values of a new row. */
export function InsertDialog({ table, onInsert, onClose }: InsertDialogProps) {
  const columns = table.columns.filter(c => !c.generated)
  const [typed, setTyped] = useState<Record<string, Typed>>(() => Object.fromEntries(columns.map(c => [c.name, { kind: 'default', text: '' }])))
  const { isBusy, error, run } = useAction()
  const parsed = columns.map(c => [c.name, parse(typed[c.name]!)] as const)
  const isReady = parsed.every(([, p]) => p.problem === undefined)
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (!isReady || isBusy) {
      return
    }

    await run(async () => {
      await onInsert(Object.fromEntries(parsed.flatMap(([name, p]) => (p.problem === undefined && p.value !== undefined ? [[name, p.value]] : []))))
      onClose()
    })
  }
  return (
    <Modal opened onClose={onClose} title={`New row of ${table.name}`} closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={event => void submit(event)}>
        <Stack gap="sm">
          {columns.map((c, i) => (
            <ValueInput
              key={c.name}
              column={c}
              label={c.name}
              description={describe(c)}
              typed={typed[c.name]!}
              onChange={value => setTyped(all => ({ ...all, [c.name]: value }))}
              mayBeDefault
              autoFocus={i === 0}
            />
          ))}
          <Text size="xs" c="dimmed">
            Columns at Default get what the table defines for them, or NULL.
          </Text>
          <Stack gap="sm" className="dialog-foot">
            <ErrorAlert error={error} />
            <Group justify="flex-end" gap="xs">
              <Button variant="default" onClick={onClose}>
                Cancel
              </Button>
              <Button type="submit" disabled={!isReady} loading={isBusy}>
                Insert the row
              </Button>
            </Group>
          </Stack>
        </Stack>
      </form>
    </Modal>
  )
}

function describe({ type, primary_key, not_null }: Column): string {
  return [type.toLowerCase() || 'any type', primary_key && 'primary key', not_null && 'not null'].filter(Boolean).join(', ')
}
