import { ActionIcon, Button, Checkbox, Group, Select, Stack, Table, Text, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import { CodeBlock } from '../../components/CodeBlock'
import { CopyButton } from '../../components/CopyButton'
import { ErrorAlert } from '../../components/ErrorAlert'
import { newId } from '../../components/newId'
import { Panel } from '../../components/Panel'
import { ScrollTable } from '../../components/ScrollTable'
import { DownIcon, PlusIcon, TrashIcon, UpIcon } from '../../icons'
import { useAction } from '../../state/action'
import { useConnection } from '../../state/cluster'
import { useDatabases } from '../../state/request'
import { hrefOf } from '../../state/route'
import { createTableSql, problemOf, strictTypes, types, type ColumnDraft, type TableDraft } from './createTable'

const firstColumn: ColumnDraft = { key: 0, name: 'id', type: 'INTEGER', isPrimaryKey: true, isNotNull: false, isUnique: false, defaultText: '' }
const empty: TableDraft = { name: '', columns: [firstColumn], isStrict: false }

/** Designs a table column by column, and shows the SQL that it becomes. */
export function TableDesigner() {
  const connection = useConnection()
  const { data } = useDatabases()
  const [database, setDatabase] = useState('main')
  const [draft, setDraft] = useState<TableDraft>(empty)
  const { isBusy, error, run } = useAction()
  const sql = createTableSql(draft)
  const problem = problemOf(draft)
  const setColumns = (columns: ColumnDraft[]) => setDraft({ ...draft, columns })
  const change = (key: number, values: Partial<ColumnDraft>) => setColumns(draft.columns.map(c => (c.key === key ? { ...c, ...values } : c)))
  const add = () =>
    setColumns([
      ...draft.columns,
      { key: Math.max(-1, ...draft.columns.map(c => c.key)) + 1, name: '', type: 'TEXT', isPrimaryKey: false, isNotNull: false, isUnique: false, defaultText: '' },
    ])
  const move = (index: number, by: -1 | 1) => {
    const columns = [...draft.columns]
    const [column] = columns.splice(index, 1)
    columns.splice(index + by, 0, column!)
    setColumns(columns)
  }
  const create = async () => {
    await run(async () => {
      await connection.request('/query', { method: 'POST', body: { command: 'exec', query: sql, database, id: newId() } })
      notifications.show({ message: <a href={hrefOf('data', database, draft.name)}>The table {draft.name} is there. Look at it.</a> })
      setDraft(empty)
    })
  }
  return (
    <Stack gap="md">
      <Panel title="Columns" flush actions={<Checkbox label="STRICT: refuse values of another type" checked={draft.isStrict} onChange={event => setDraft({ ...draft, isStrict: event.currentTarget.checked })} />}>
        <Group p="sm" gap="sm" align="flex-end">
          <Select label="Database" value={database} data={(data?.databases ?? []).map(d => d.name).filter(n => n !== 'history_query')} onChange={value => setDatabase(value ?? 'main')} className="grow" maw={240} />
          <TextInput label="Table" value={draft.name} onChange={event => setDraft({ ...draft, name: event.currentTarget.value })} placeholder="users" autoComplete="off" spellCheck={false} className="grow" maw={320} />
        </Group>
        <ScrollTable label="The columns of the new table" columns={['Name', 'Type', 'Primary key', 'Not null', 'Unique', 'Default', '']} className="designer">
          {draft.columns.map((c, i) => (
            <Table.Tr key={c.key}>
              <Table.Td data-label="Name">
                <TextInput aria-label={`Name of column ${i + 1}`} value={c.name} onChange={event => change(c.key, { name: event.currentTarget.value })} autoComplete="off" spellCheck={false} />
              </Table.Td>
              <Table.Td data-label="Type">
                <Select aria-label={`Type of column ${i + 1}`} value={c.type} data={[...new Set([...(draft.isStrict ? strictTypes : types), c.type])]} onChange={value => value && change(c.key, { type: value })} w={130} />
              </Table.Td>
              <Table.Td data-label="Primary key">
                <Checkbox aria-label={`Column ${i + 1} is the primary key`} checked={c.isPrimaryKey} onChange={event => change(c.key, { isPrimaryKey: event.currentTarget.checked })} />
              </Table.Td>
              <Table.Td data-label="Not null">
                <Checkbox aria-label={`Column ${i + 1} is not null`} checked={c.isNotNull} onChange={event => change(c.key, { isNotNull: event.currentTarget.checked })} />
              </Table.Td>
              <Table.Td data-label="Unique">
                <Checkbox aria-label={`Column ${i + 1} is unique`} checked={c.isUnique} onChange={event => change(c.key, { isUnique: event.currentTarget.checked })} />
              </Table.Td>
              <Table.Td data-label="Default">
                <TextInput aria-label={`Default of column ${i + 1}`} value={c.defaultText} placeholder="none" onChange={event => change(c.key, { defaultText: event.currentTarget.value })} autoComplete="off" spellCheck={false} />
              </Table.Td>
              <Table.Td>
                <Group gap={2} wrap="nowrap" justify="flex-end">
                  <ActionIcon variant="subtle" color="gray" aria-label={`Move column ${i + 1} up`} disabled={i === 0} onClick={() => move(i, -1)}>
                    <UpIcon size={16} />
                  </ActionIcon>
                  <ActionIcon variant="subtle" color="gray" aria-label={`Move column ${i + 1} down`} disabled={i === draft.columns.length - 1} onClick={() => move(i, 1)}>
                    <DownIcon size={16} />
                  </ActionIcon>
                  <ActionIcon variant="subtle" color="red" aria-label={`Remove column ${i + 1}`} disabled={draft.columns.length === 1} onClick={() => setColumns(draft.columns.filter(x => x.key !== c.key))}>
                    <TrashIcon size={16} />
                  </ActionIcon>
                </Group>
              </Table.Td>
            </Table.Tr>
          ))}
        </ScrollTable>
        <Group p="sm">
          <Button variant="default" leftSection={<PlusIcon size={14} />} onClick={add}>
            Add column
          </Button>
        </Group>
      </Panel>
      <Panel title="SQL" flush actions={<CopyButton text={sql} />}>
        <CodeBlock text={sql} label="The statement" />
      </Panel>
      <ErrorAlert error={error} />
      <Group justify="flex-end" gap="sm">
        <Text size="sm" c="dimmed">
          {problem}
        </Text>
        <Button onClick={() => void create()} disabled={problem !== null} loading={isBusy}>
          Create table
        </Button>
      </Group>
    </Stack>
  )
}
