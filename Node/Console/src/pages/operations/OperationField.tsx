import { Autocomplete, Checkbox, Textarea, TextInput, Tooltip } from '@mantine/core'
import type { Database } from '../../api/types'
import type { Field, Values } from './operations'

interface OperationFieldProps {
  field: Field
  values: Values
  /** What is wrong with it, where something is. */
  problem: string | undefined
  databases: readonly Database[]
  onChange: (value: string) => void
}

/** One field of an operation, with its explanation as a tooltip. */
export function OperationField({ field, values, problem, databases, onChange }: OperationFieldProps) {
  const { key, label, kind, isRequired = false, help, placeholder } = field
  const value = values[key] ?? ''
  const common = {
    className: kind === 'json' ? 'wide' : 'half',
    label,
    ...(placeholder !== undefined && { placeholder }),
    withAsterisk: isRequired,
    // What is missing is not wrong yet.
    error: value.trim() !== '' && problem,
    value,
    autoComplete: 'off',
    spellCheck: false,
  }
  return (
    <Tooltip label={help} position="top-start" openDelay={250}>
      {kind === 'flag' ? (
        <Checkbox className="wide" label={label} checked={value === 'true'} onChange={event => onChange(event.currentTarget.checked ? 'true' : '')} />
      ) : kind === 'json' ? (
        <Textarea {...common} autosize minRows={1} maxRows={10} classNames={{ input: 'mono' }} onChange={event => onChange(event.currentTarget.value)} />
      ) : kind === 'database' || kind === 'table' ? (
        <Autocomplete {...common} size="xs" data={namesFor(kind, values, databases)} onChange={onChange} />
      ) : (
        <TextInput {...common} {...(kind === 'number' && { inputMode: 'numeric' as const })} onChange={event => onChange(event.currentTarget.value)} />
      )}
    </Tooltip>
  )
}

function namesFor(kind: 'database' | 'table', values: Values, databases: readonly Database[]): string[] {
  if (kind === 'database') {
    return databases.map(d => d.name)
  }

  const name = (values.database?.trim() || 'main').toLowerCase()
  return databases.find(d => d.name === name)?.tables.map(t => t.name) ?? []
}
