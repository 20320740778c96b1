import { Stack, Table, Title } from '@mantine/core'
import { CodeBlock } from '../../components/CodeBlock'
import { EmptyState } from '../../components/EmptyState'
import { ScrollTable } from '../../components/ScrollTable'
import type { Place } from './editing'
import type { SchemaObject } from './useSchemaObjects'

/** The columns of a table, and the SQL that made it, its indexes and its triggers. */
export function StructureView({ table, objects }: Place & { objects: readonly SchemaObject[] }) {
  const indexes = objects.filter(o => o.kind === 'index')
  const triggers = objects.filter(o => o.kind === 'trigger')
  const definition = objects.find(o => (o.kind === 'table' || o.kind === 'view') && o.name === table.name)?.sql
  return (
    <Stack gap="md" p="sm" className="data-structure">
      <ScrollTable label="Columns" columns={['Column', 'Type', 'Default', 'Properties']}>
        {table.columns.map(c => (
          <Table.Tr key={c.name}>
            <Table.Td data-label="Column" className="mono">{c.name}</Table.Td>
            <Table.Td data-label="Type" className="mono">{c.type || '–'}</Table.Td>
            <Table.Td data-label="Default" className="mono">{c.default ?? '–'}</Table.Td>
            <Table.Td data-label="Properties">{[c.primary_key && 'primary key', c.not_null && 'not null', c.generated && 'generated'].filter(Boolean).join(', ') || '–'}</Table.Td>
          </Table.Tr>
        ))}
      </ScrollTable>
      {definition && <Definition title="Definition" sql={definition} />}
      {indexes.map(o => (
        <Definition key={o.name} title={`Index ${o.name}`} sql={o.sql ?? '-- made by SQLite for a PRIMARY KEY or UNIQUE'} />
      ))}
      {triggers.map(o => (
        <Definition key={o.name} title={`Trigger ${o.name}`} sql={o.sql ?? ''} />
      ))}
      {table.kind === 'table' && indexes.length + triggers.length === 0 && <EmptyState title="No indexes and no triggers">CREATE INDEX and CREATE TRIGGER on the page SQL make them.</EmptyState>}
    </Stack>
  )
}

function Definition({ title, sql }: { title: string; sql: string }) {
  return (
    <section>
      <Title order={3}>{title}</Title>
      <CodeBlock text={sql} label={title} maxHeight={280} />
    </section>
  )
}
