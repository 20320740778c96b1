import { Badge, Button, Group, Table, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import type { MembersAnswer, PromoteAnswer } from '../../api/types'
import { ConfirmDialog } from '../../components/ConfirmDialog'
import { NodeDot } from '../../components/NodeDot'
import { Panel } from '../../components/Panel'
import { ScrollTable } from '../../components/ScrollTable'
import { healthOf } from '../../state/health'
import { useClusterValue, useConnection } from '../../state/cluster'
import { useSession } from '../../state/session'
import { MoveDialog } from './MoveDialog'

interface Plan {
  readonly kind: 'promote' | 'move' | 'remove'
  readonly id: number
}

/** Who belongs to the cluster: promotes, moves, and removes. */
export function NodesTab() {
  const connection = useConnection()
  const session = useSession()
  const nodes = useClusterValue(cluster =>
    (cluster?.nodes ?? []).map(m => ({ id: m.id, address: m.address, role: m.role, suffrage: m.suffrage, reachable: m.reachable, ...healthOf(m) })),
  )
  const [plan, setPlan] = useState<Plan | null>(null)
  const promote = async (id: number) => {
    await connection.request<PromoteAnswer>('/cluster/promote', { method: 'POST', body: { id } })
    notifications.show({ message: `Node ${id} is the master now.` })
  }
  const remove = async (id: number) => {
    await connection.request<MembersAnswer>(`/cluster/members/${id}`, { method: 'DELETE' })
    notifications.show({ message: `Node ${id} does not belong to the cluster any more.` })
  }
  return (
    <Panel title="Nodes of the cluster" flush>
      <ScrollTable label="Nodes of the cluster" columns={['Node', 'State', 'Address', 'Role', 'Vote', '']}>
        {nodes.map(({ id, address, role, suffrage, reachable, health, text }) => (
          <Table.Tr key={id}>
            <Table.Td data-label="Node" fw={600}>{id}</Table.Td>
            <Table.Td data-label="State">
              <span className="with-dot">
                <NodeDot health={health} /> {text}
              </span>
            </Table.Td>
            <Table.Td data-label="Address" className="mono">{address.replace(/^https?:\/\//, '')}</Table.Td>
            <Table.Td data-label="Role">
              <span className="badges">
                <Badge variant="light" color={role === 'master' ? 'grape' : 'gray'} size="sm">
                  {role}
                </Badge>
              </span>
            </Table.Td>
            <Table.Td data-label="Vote">{suffrage === 'voter' ? 'votes' : 'learns'}</Table.Td>
            <Table.Td>
              {session.can('admin') && (
                <Group gap={4} justify="flex-end" wrap="nowrap">
                  {role !== 'master' && (
                    <Button variant="default" size="compact-xs" disabled={!reachable || suffrage !== 'voter'} onClick={() => setPlan({ kind: 'promote', id })}>
                      Promote
                    </Button>
                  )}
                  <Button variant="default" size="compact-xs" onClick={() => setPlan({ kind: 'move', id })}>
                    Change address
                  </Button>
                  {role !== 'master' && (
                    <Button variant="subtle" color="red" size="compact-xs" onClick={() => setPlan({ kind: 'remove', id })}>
                      Remove
                    </Button>
                  )}
                </Group>
              )}
            </Table.Td>
          </Table.Tr>
        ))}
      </ScrollTable>
      <Text size="sm" c="dimmed" p="sm">
        One more node joins by itself: <code>distdb node &lt;id&gt; &lt;n&gt; --join {window.location.origin}</code>
      </Text>
      {plan?.kind === 'promote' && (
        <ConfirmDialog title={`Make node ${plan.id} the master`} action="Promote" onConfirm={() => promote(plan.id)} onClose={() => setPlan(null)}>
          <Text size="sm">From then on node {plan.id} changes the schema, and the present master is a node like the others. Reads and row writes go on meanwhile.</Text>
        </ConfirmDialog>
      )}
      {plan?.kind === 'move' && <MoveDialog id={plan.id} members={nodes} onClose={() => setPlan(null)} />}
      {plan?.kind === 'remove' && (
        <ConfirmDialog title={`Remove node ${plan.id}`} action="Remove" isDangerous phrase={`node ${plan.id}`} onConfirm={() => remove(plan.id)} onClose={() => setPlan(null)}>
          <Text size="sm">
            Node {plan.id} stops, and is refused from then on; its vote counts no more. To come back it is started with <code>--rebuild --join</code>.
          </Text>
        </ConfirmDialog>
      )}
    </Panel>
  )
}
