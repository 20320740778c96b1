import { Badge, Button, Group, Select, Stack, Table, TagsInput, Text, TextInput } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import type { NewToken, Role, Token } from '../../api/types'
import { ConfirmDialog } from '../../components/ConfirmDialog'
import { EmptyState } from '../../components/EmptyState'
import { ErrorAlert } from '../../components/ErrorAlert'
import { Panel } from '../../components/Panel'
import { ScrollTable } from '../../components/ScrollTable'
import { formatTime } from '../../format'
import { useAction } from '../../state/action'
import { useConnection } from '../../state/cluster'
import { useGet } from '../../state/request'
import { roles, useSession } from '../../state/session'

const dayS = 24 * 60 * 60
const lifetimes = [
  { value: '', label: 'never' },
  { value: String(dayS), label: 'in a day' },
  { value: String(30 * dayS), label: 'in 30 days' },
  { value: String(365 * dayS), label: 'in a year' },
]

/** Makes tokens, lists and revokes them. */
export function TokensTab() {
  const connection = useConnection()
  const session = useSession()
  const { data, error, reload } = useGet<{ tokens: Token[] }>('/tokens')
  const [doomed, setDoomed] = useState<string | null>(null)
  const revoke = async (name: string) => {
    await connection.request(`/tokens/${encodeURIComponent(name)}`, { method: 'DELETE' })
    reload()
  }
  const onMade = (token: NewToken) => {
    session.showNewToken(token)
    if (data?.tokens.length === 0) {
      // From now on the cluster asks for it.
      session.signIn(token.token)
    }

    reload()
  }
  return (
    <Stack gap="md">
      <ErrorAlert error={error} />
      {data && data.tokens.length === 0 ? (
        <FirstToken onMade={onMade} />
      ) : (
        <>
          <NewTokenForm onMade={onMade} />
          <Panel title="Tokens" flush>
            <ScrollTable label="All tokens" columns={['Name', 'Role', 'Databases', 'Made', 'Expires', '']}>
              {(data?.tokens ?? []).map(t => (
                <Table.Tr key={t.name}>
                  <Table.Td data-label="Name" fw={600}>{t.name}</Table.Td>
                  <Table.Td data-label="Role">{t.role}</Table.Td>
                  <Table.Td data-label="Databases">{t.databases?.join(', ') ?? 'all'}</Table.Td>
                  <Table.Td data-label="Made" className="nowrap">{formatTime(t.created)}</Table.Td>
                  <Table.Td data-label="Expires" className="nowrap">
                    {t.expires ? formatTime(t.expires) : 'never'} {t.expired && <Badge color="red" variant="light" size="sm">expired</Badge>}
                  </Table.Td>
                  <Table.Td ta="right">
                    <Button variant="subtle" color="red" size="compact-xs" onClick={() => setDoomed(t.name)}>
                      Revoke
                    </Button>
                  </Table.Td>
                </Table.Tr>
              ))}
            </ScrollTable>
          </Panel>
        </>
      )}
      {doomed !== null && (
        <ConfirmDialog title={`Revoke ${doomed}`} action="Revoke" isDangerous onConfirm={() => revoke(doomed)} onClose={() => setDoomed(null)}>
          <Text size="sm">Whoever uses this token is refused from then on, on every node.{session.access?.token === doomed && ' It is the one that you are signed in with.'}</Text>
        </ConfirmDialog>
      )}
    </Stack>
  )
}

/** A cluster without tokens: says what that means, and offers the first. */
function FirstToken({ onMade }: { onMade: (token: NewToken) => void }) {
  const connection = useConnection()
  const [isAsking, setAsking] = useState(false)
  return (
    <Panel>
      <EmptyState title="This cluster has no tokens">
        <Stack gap="sm" align="center">
          <span>Everybody on its machine may do everything, and nobody else can reach it. The first token, an admin’s, locks it on all nodes at once.</span>
          <Button onClick={() => setAsking(true)}>Make the first token</Button>
        </Stack>
      </EmptyState>
      {isAsking && (
        <ConfirmDialog
          title="Lock the cluster"
          action="Make the token"
          isDangerous
          onConfirm={async () => onMade(await connection.request<NewToken>('/tokens/init', { method: 'POST' }))}
          onClose={() => setAsking(false)}
        >
          <Text size="sm">From then on every client needs a token. This one is shown once; if it is lost, nobody gets in. The page signs you in with it.</Text>
        </ConfirmDialog>
      )}
    </Panel>
  )
}

function NewTokenForm({ onMade }: { onMade: (token: NewToken) => void }) {
  const connection = useConnection()
  const [name, setName] = useState('')
  const [role, setRole] = useState<Role>('read')
  const [databases, setDatabases] = useState<string[]>([])
  const [lifetime, setLifetime] = useState('')
  const { isBusy, error, run } = useAction()
  const create = async (event: FormEvent) => {
    event.preventDefault()
    await run(async () => {
      const body = {
        name: name.trim(),
        role,
        ...(databases.length > 0 && role !== 'admin' && { databases }),
        ...(lifetime !== '' && { expires_in_s: Number(lifetime) }),
      }
      onMade(await connection.request<NewToken>('/tokens', { method: 'POST', body }))
      setName('')
    })
  }
  return (
    <Panel title="New token">
      <form onSubmit={event => void create(event)}>
        <Group gap="sm" align="flex-end">
          <TextInput label="Name" value={name} onChange={event => setName(event.currentTarget.value)} placeholder="shop" autoComplete="off" spellCheck={false} w={160} />
          <Select label="Role" value={role} data={[...roles]} onChange={value => value && setRole(value as Role)} w={110} />
          <TagsInput label="Databases" placeholder={databases.length === 0 ? 'all' : ''} value={databases} onChange={setDatabases} disabled={role === 'admin'} w={220} />
          <Select label="Expires" value={lifetime} data={lifetimes} onChange={value => setLifetime(value ?? '')} w={130} />
          <Button type="submit" disabled={name.trim() === ''} loading={isBusy}>
            Make token
          </Button>
        </Group>
      </form>
      {error !== null && (
        <div style={{ marginTop: '0.75rem' }}>
          <ErrorAlert error={error} />
        </div>
      )}
    </Panel>
  )
}
