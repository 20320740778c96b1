import { ActionIcon, Group, Select, Text, TextInput } from '@mantine/core'
import type { Column } from '../../api/types'
import { TrashIcon } from '../../icons'
import { operators, takesValue, type Filter, type Operator } from './filters'

interface FilterBarProps {
  filters: readonly Filter[]
  columns: readonly Column[]
  /** What is wrong with them, if anything is. */
  problem: string | null
  onChange: (filters: Filter[]) => void
}

/** Conditions for the rows that are shown: all must hold. */
export function FilterBar({ filters, columns, problem, onChange }: FilterBarProps) {
  const change = (id: string, part: Partial<Filter>) => onChange(filters.map(f => (f.id === id ? { ...f, ...part } : f)))
  if (filters.length === 0) {
    return null
  }

  return (
    <div className="data-filters">
      {filters.map(({ id, column, operator, text }) => (
        <Group key={id} gap={6} wrap="nowrap" className="data-filter">
          <Select aria-label="Column" searchable data={columns.map(c => c.name)} value={column} onChange={value => value !== null && change(id, { column: value })} />
          <Select aria-label="Comparison" w={104} data={operators} value={operator} onChange={value => change(id, { operator: value as Operator })} />
          <TextInput
            aria-label="Value"
            placeholder={operator === 'like' ? 'A%' : 'value'}
            value={takesValue(operator) ? text : ''}
            disabled={!takesValue(operator)}
            onChange={event => change(id, { text: event.currentTarget.value })}
            autoComplete="off"
            spellCheck={false}
          />
          <ActionIcon variant="subtle" color="gray" size={30} aria-label={`Remove the filter on ${column}`} onClick={() => onChange(filters.filter(f => f.id !== id))}>
            <TrashIcon size={16} />
          </ActionIcon>
        </Group>
      ))}
      {problem !== null && (
        <Text size="xs" c="red" role="alert">
          {problem}
        </Text>
      )}
    </div>
  )
}
