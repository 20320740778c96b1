import { Button, Group, Table, Text, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState, type FormEvent } from 'react'
import { ConfirmDialog } from '../../components/ConfirmDialog'
import { ErrorAlert } from '../../components/ErrorAlert'
import { Panel } from '../../components/Panel'
import { formatBytes } from '../../format'
import { useAction } from '../../state/action'
import { useConnection } from '../../state/cluster'
import { hrefOf } from '../../state/route'
import { useDatabases } from '../../state/request'
import { useSession } from '../../state/session'

/** Databases that clients did not make, and cannot drop. */
const builtIn = ['main', 'history_query']

interface Doomed {
  readonly name: string
  readonly request: Record<string, unknown>
  readonly what: string
}

/** Creates and drops databases, and drops tables. */
export function DatabasesTab() {
  const connection = useConnection()
  const session = useSession()
  const { data, error, reload } = useDatabases()
  const [name, setName] = useState('')
  const { isBusy, error: failure, run } = useAction()
  const [doomed, setDoomed] = useState<Doomed | null>(null)
  const create = async (event: FormEvent) => {
    event.preventDefault()
    await run(async () => {
      await connection.request('/query', { method: 'POST', body: { command: 'create_db', database: name.trim(), id: crypto.randomUUID() } })
      notifications.show({ message: `The database ${name.trim()} is there.` })
      setName('')
      reload()
    })
  }
  const drop = async () => {
    await connection.request('/query', { method: 'POST', body: { ...doomed!.request, id: crypto.randomUUID() } })
    notifications.show({ message: `${doomed!.what} ${doomed!.name} is gone.` })
    reload()
  }
  return (
    <>
      <ErrorAlert error={error ?? failure} />
      <Panel
        title="Databases"
        flush
        actions={
          session.can('admin') && (
            <form onSubmit={event => void create(event)}>
              <Group gap="xs" wrap="nowrap">
                <TextInput aria-label="Name of the new database" placeholder="Name" value={name} onChange={event => setName(event.currentTarget.value)} autoComplete="off" spellCheck={false} w={140} />
                <Button type="submit" disabled={name.trim() === ''} loading={isBusy}>
                  Create database
                </Button>
              </Group>
            </form>
          )
        }
      >
        <Table.ScrollContainer minWidth={0} tabIndex={0} role="region" aria-label="All databases">
          <Table verticalSpacing={6} horizontalSpacing="sm">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Name</Table.Th>
                <Table.Th ta="right">Size</Table.Th>
                <Table.Th>Tables</Table.Th>
                <Table.Th />
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {(data?.databases ?? []).map(database => (
                <Table.Tr key={database.name} data-database={database.name}>
                  <Table.Td fw={600} className="mono">
                    {database.name}
                  </Table.Td>
                  <Table.Td ta="right" className="tabular nowrap">
                    {formatBytes(database.bytes)}
                  </Table.Td>
                  <Table.Td>
                    <Group gap={6}>
                      {database.tables.length === 0 && (
                        <Text size="sm" c="dimmed">
                          none
                        </Text>
                      )}
                      {database.tables.map(({ name: table, kind }) => (
                        <span key={table} className="chip">
                          <a href={hrefOf('data', database.name, table)} className="mono quiet-link">
                            {table}
                          </a>
                          {session.can('schema') && kind !== 'view' && database.name !== 'history_query' && (
                            <button
                              type="button"
                              className="chip-button"
                              aria-label={`Drop the table ${table}`}
                              onClick={() => setDoomed({ name: table, what: 'The table', request: { command: 'drop_table', database: database.name, table } })}
                            >
                              ×
                            </button>
                          )}
                        </span>
                      ))}
                    </Group>
                  </Table.Td>
                  <Table.Td ta="right">
                    {session.can('admin') && !builtIn.includes(database.name) && (
                      <Button
                        variant="subtle"
                        color="red"
                        size="compact-xs"
                        onClick={() => setDoomed({ name: database.name, what: 'The database', request: { command: 'drop_db', database: database.name } })}
                      >
                        Drop
                      </Button>
                    )}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      </Panel>
      {doomed && (
        <ConfirmDialog title={`Drop ${doomed.name}`} action="Drop" isDangerous phrase={doomed.name} onConfirm={drop} onClose={() => setDoomed(null)}>
          <Text size="sm">{doomed.what} and all that is in it will be gone on every node. This cannot be taken back.</Text>
        </ConfirmDialog>
      )}
    </>
  )
}
