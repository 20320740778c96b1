import { Stack, Table as MantineTable, Title } from '@mantine/core'
import { CodeBlock } from '../../components/CodeBlock'
import { EmptyState } from '../../components/EmptyState'
import type { Place } from './editing'
import type { SchemaObject } from './useSchemaObjects'

/** The columns of a table, and the SQL that made it, its indexes and its triggers. */
export function StructureView({ table, objects }: Place & { objects: readonly SchemaObject[] }) {
  const indexes = objects.filter(o => o.kind === 'index')
  const triggers = objects.filter(o => o.kind === 'trigger')
  const definition = objects.find(o => (o.kind === 'table' || o.kind === 'view') && o.name === table.name)?.sql
  return (
    <Stack gap="md" p="sm" className="data-structure">
      <div className="data-columns" tabIndex={0} role="region" aria-label="Columns">
        <MantineTable>
          <MantineTable.Thead>
            <MantineTable.Tr>
              <MantineTable.Th>Column</MantineTable.Th>
              <MantineTable.Th>Type</MantineTable.Th>
              <MantineTable.Th>Default</MantineTable.Th>
              <MantineTable.Th>Properties</MantineTable.Th>
            </MantineTable.Tr>
          </MantineTable.Thead>
          <MantineTable.Tbody>
            {table.columns.map(c => (
              <MantineTable.Tr key={c.name}>
                <MantineTable.Td className="mono">{c.name}</MantineTable.Td>
                <MantineTable.Td className="mono">{c.type || '–'}</MantineTable.Td>
                <MantineTable.Td className="mono">{c.default ?? '–'}</MantineTable.Td>
                <MantineTable.Td>{[c.primary_key && 'primary key', c.not_null && 'not null', c.generated && 'generated'].filter(Boolean).join(', ') || '–'}</MantineTable.Td>
              </MantineTable.Tr>
            ))}
          </MantineTable.Tbody>
        </MantineTable>
      </div>
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
