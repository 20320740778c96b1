import { Button, Group, Stack, Text } from '@mantine/core'
import { useState, type KeyboardEvent } from 'react'
import type { Column, SqlValue } from '../../api/types'
import { parse, typedOf } from '../../components/typedValues'
import { ValueInput } from '../../components/ValueInput'

interface CellEditorProps {
  column: Column
  value: SqlValue
  onApply: (value: SqlValue) => void
  onCancel: () => void
}

/** Changes one value: Enter takes it, Shift-Enter begins a new line, Escape leaves it. */
export function CellEditor({ column, value, onApply, onCancel }: CellEditorProps) {
  const [typed, setTyped] = useState(() => typedOf(value, column))
  const parsed = parse(typed)
  const apply = () => {
    if (parsed.problem === undefined) {
      onApply(parsed.value ?? null)
    }
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && !event.shiftKey && event.target instanceof HTMLTextAreaElement) {
      event.preventDefault()
      apply()
    }
  }
  return (
    <Stack gap={8} onKeyDown={onKeyDown}>
      <Text size="xs" c="dimmed">
        <b>{column.name}</b> {column.type.toLowerCase()} {column.not_null && 'not null'}
      </Text>
      <ValueInput column={column} typed={typed} onChange={setTyped} autoFocus />
      <Group gap={6} justify="flex-end">
        <Button variant="default" size="compact-xs" onClick={onCancel}>
          Cancel
        </Button>
        <Button size="compact-xs" onClick={apply} disabled={parsed.problem !== undefined}>
          Apply
        </Button>
      </Group>
    </Stack>
  )
}
