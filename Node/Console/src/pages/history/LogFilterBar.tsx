import { Autocomplete, Button, Select, TextInput } from '@mantine/core'
import { SearchIcon } from '../../icons'
import { useNodes } from '../../state/cluster'
import { useDatabases } from '../../state/request'
import { noFilters, type LogFilters } from './filters'

const operations = ['INSERT', 'UPDATE', 'DELETE', 'TRANSACTION', 'SELECT', 'CREATE TABLE', 'CREATE INDEX', 'CREATE TRIGGER', 'CREATE VIEW', 'CREATE DATABASE', 'ALTER TABLE', 'DROP TABLE', 'DROP DATABASE']

/** What of the log is shown. */
export function LogFilterBar({ filters, onChange }: { filters: LogFilters; onChange: (filters: LogFilters) => void }) {
  const nodes = useNodes()
  const { data: answer } = useDatabases()
  const set = (part: Partial<LogFilters>) => onChange({ ...filters, ...part })
  const hasFilters = JSON.stringify(filters) !== JSON.stringify(noFilters)
  return (
    <div className="log-filters">
      <TextInput
        className="log-filter-text"
        label="Text of the query"
        leftSection={<SearchIcon size={14} />}
        value={filters.text}
        onChange={event => set({ text: event.currentTarget.value })}
      />
      <Autocomplete label="Operation" data={operations} value={filters.operation} onChange={operation => set({ operation })} size="xs" />
      <Select
        label="Database"
        placeholder="All"
        clearable
        searchable
        data={[...new Set([...(answer?.databases ?? []).map(d => d.name), ...(filters.database ? [filters.database] : [])])]}
        value={filters.database || null}
        onChange={database => set({ database: database ?? '' })}
        clearButtonProps={{ 'aria-label': 'All databases' }}
      />
      <TextInput label="Table" value={filters.table} onChange={event => set({ table: event.currentTarget.value })} />
      <Select
        label="Node"
        placeholder="All"
        clearable
        data={nodes.map(n => ({ value: String(n.id), label: `Node ${n.id}` }))}
        value={filters.node === null ? null : String(filters.node)}
        onChange={node => set({ node: node === null ? null : Number(node) })}
        clearButtonProps={{ 'aria-label': 'All nodes' }}
      />
      <TextInput label="Client" placeholder="192.0.2.1" value={filters.client} onChange={event => set({ client: event.currentTarget.value })} />
      <TextInput className="log-filter-time" label="From" type="datetime-local" value={filters.from} onChange={event => set({ from: event.currentTarget.value })} />
      <TextInput className="log-filter-time" label="To" type="datetime-local" value={filters.to} onChange={event => set({ to: event.currentTarget.value })} />
      <Button variant="default" disabled={!hasFilters} onClick={() => onChange(noFilters)}>
        Clear
      </Button>
    </div>
  )
}
