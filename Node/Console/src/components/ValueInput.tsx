import { Group, Select, Textarea } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Column } from '../api/types'
import { parse, usualKind, type Kind, type Typed } from './typedValues'

const kinds: { value: Kind; label: string }[] = [
  { value: 'text', label: 'Text' },
  { value: 'number', label: 'Number' },
  { value: 'blob', label: 'Blob (hex)' },
  { value: 'null', label: 'NULL' },
]

interface ValueInputProps {
  column: Column
  typed: Typed
  onChange: (typed: Typed) => void
  /** Whether the column may be left to its default. */
  mayBeDefault?: boolean
  label?: ReactNode
  description?: ReactNode
  error?: ReactNode
  autoFocus?: boolean
}

/** A field for a value of any of SQLite's types. */
export function ValueInput({ column, typed, onChange, mayBeDefault, label, description, error, autoFocus }: ValueInputProps) {
  const parsed = parse(typed)
  const isTyped = typed.kind !== 'null' && typed.kind !== 'default'
  return (
    <Group gap={6} wrap="nowrap" align="flex-end">
      <Textarea
        style={{ flex: 1 }}
        label={label}
        description={description}
        error={error ?? (typed.text !== '' ? parsed.problem : undefined)}
        {...(label === undefined && { 'aria-label': `Value of ${column.name}` })}
        classNames={{ input: 'mono' }}
        autosize
        minRows={1}
        maxRows={8}
        placeholder={typed.kind === 'null' ? 'NULL' : typed.kind === 'default' ? defaultOf(column) : ''}
        value={typed.text}
        onChange={event => onChange({ kind: isTyped ? typed.kind : usualKind(column.type), text: event.currentTarget.value })}
        {...(autoFocus && { 'data-autofocus': true })}
        spellCheck={false}
        autoComplete="off"
      />
      <Select
        aria-label={`Kind of value of ${column.name}`}
        w={104}
        style={{ alignSelf: error || parsed.problem ? 'flex-start' : 'flex-end' }}
        comboboxProps={{ withinPortal: false }}
        data={mayBeDefault ? [{ value: 'default', label: 'Default' }, ...kinds] : kinds}
        value={typed.kind}
        onChange={kind => onChange({ kind: kind as Kind, text: kind === 'null' || kind === 'default' ? '' : typed.text })}
      />
    </Group>
  )
}

/** What a column gets that is left out. */
function defaultOf({ default: sql, type, primary_key, not_null }: Column): string {
  return sql ?? (primary_key && type === 'INTEGER' ? 'the next number' : not_null ? 'has no default' : 'NULL')
}
