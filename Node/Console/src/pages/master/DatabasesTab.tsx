import { Button, Group, Table, Text, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState, type FormEvent } from 'react'
import { writesAtOnce } from '../../api/target'
import { ConfirmDialog } from '../../components/ConfirmDialog'
import { ErrorAlert } from '../../components/ErrorAlert'
import { newId } from '../../components/newId'
import { Panel } from '../../components/Panel'
import { right, ScrollTable } from '../../components/ScrollTable'
import { formatBytes } from '../../format'
import { DownloadIcon } from '../../icons'
import { useAction } from '../../state/action'
import { useBackups } from '../../state/backup'
import { useConnection, useConnectionState, useNodes } from '../../state/cluster'
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

/** Creates and drops databases, and drops tables, where the page speaks with the master; downloads backups from any node. */
export function DatabasesTab() {
  const connection = useConnection()
  const session = useSession()
  const backups = useBackups()
  const node = useConnectionState('node')
  const isMaster = useNodes().some(n => n.role === 'master' && n.id === node)
  const isDownloading = backups.status?.phase === 'running'
  const { data, error, reload } = useDatabases()
  const [name, setName] = useState('')
  const { isBusy, error: failure, run } = useAction()
  const [doomed, setDoomed] = useState<Doomed | null>(null)
  const create = async (event: FormEvent) => {
    event.preventDefault()
    await run(async () => {
      await connection.request('/query', { method: 'POST', body: { command: 'create_db', database: name.trim(), id: newId() } })
      notifications.show({ message: `The database ${name.trim()} is there.` })
      setName('')
      reload()
    })
  }
  const drop = async () => {
    await connection.request('/query', { method: 'POST', body: { ...doomed!.request, id: newId() } })
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
            <>
              <Button variant="default" leftSection={<DownloadIcon size={14} />} disabled={isDownloading} onClick={() => void backups.start(null)}>
                Download all
              </Button>
              {isMaster && (
                <form onSubmit={event => void create(event)}>
                  <Group gap="xs" wrap="nowrap">
                    <TextInput aria-label="Name of the new database" placeholder="Name" value={name} onChange={event => setName(event.currentTarget.value)} autoComplete="off" spellCheck={false} w={140} />
                    <Button type="submit" disabled={name.trim() === ''} loading={isBusy}>
                      Create database
                    </Button>
                  </Group>
                </form>
              )}
            </>
          )
        }
      >
        <ScrollTable label="All databases" columns={['Name', right('Size'), 'Tables', '']}>
          {(data?.databases ?? []).map(database => (
            <Table.Tr key={database.name} data-database={database.name}>
              <Table.Td data-label="Name" fw={600} className="mono">
                {database.name}
              </Table.Td>
              <Table.Td data-label="Size" ta="right" className="tabular nowrap">
                {formatBytes(database.bytes)}
              </Table.Td>
              <Table.Td data-label="Tables">
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
                      {isMaster && session.can('schema') && kind !== 'view' && database.name !== 'history_query' && (
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
              <Table.Td>
                {session.can('admin') && (
                  <Group gap={4} justify="flex-end" wrap="nowrap">
                    <Button variant="default" size="compact-xs" aria-label={`Download ${database.name}`} disabled={isDownloading} onClick={() => void backups.start(database.name)}>
                      Download
                    </Button>
                    {isMaster && !builtIn.includes(database.name) && (
                      <Button
                        variant="subtle"
                        color="red"
                        size="compact-xs"
                        onClick={() => setDoomed({ name: database.name, what: 'The database', request: { command: 'drop_db', database: database.name } })}
                      >
                        Drop
                      </Button>
                    )}
                  </Group>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </ScrollTable>
        {session.can('admin') && (
          <Text size="sm" c="dimmed" p="sm">
            A download is a backup from node {node}: a SQLite file, or an archive of all databases but the history, as of one entry. <code>distdb restore</code> brings it back.
            {!writesAtOnce && ' This browser holds it until it is whole; what is very large is better taken with distdb backup.'}
          </Text>
        )}
      </Panel>
      {doomed && (
        <ConfirmDialog title={`Drop ${doomed.name}`} action="Drop" isDangerous phrase={doomed.name} onConfirm={drop} onClose={() => setDoomed(null)}>
          <Text size="sm">{doomed.what} and all that is in it will be gone on every node. This cannot be taken back.</Text>
        </ConfirmDialog>
      )}
    </>
  )
}
