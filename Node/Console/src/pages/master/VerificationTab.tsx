import { Badge, Button, Group, Stack, Table, Text } from '@mantine/core'
import { useState } from 'react'
import type { Verification } from '../../api/types'
import { ConfirmDialog } from '../../components/ConfirmDialog'
import { EmptyState } from '../../components/EmptyState'
import { ErrorAlert } from '../../components/ErrorAlert'
import { NodeDot } from '../../components/NodeDot'
import { Panel } from '../../components/Panel'
import { ScrollTable } from '../../components/ScrollTable'
import { formatMs, formatTime } from '../../format'
import { useAction } from '../../state/action'
import { useClusterValue, useConnection } from '../../state/cluster'
import { useSession } from '../../state/session'

const outcomes: Record<Verification['outcome'], { color: string; text: string }> = {
  equal: { color: 'green', text: 'all nodes have the same content' },
  incomplete: { color: 'yellow', text: 'equal, but not all nodes reported' },
  differs: { color: 'red', text: 'nodes differ' },
  no_majority: { color: 'red', text: 'nodes differ, and there is no majority' },
}

/** Has all nodes compare their content, and shows what was found. */
export function VerificationTab() {
  const connection = useConnection()
  const session = useSession()
  const last = useClusterValue(cluster => cluster?.nodes.find(m => m.id === cluster.node)?.status?.verification ?? null)
  const [own, setOwn] = useState<Verification | null>(null)
  const { isBusy, error, run } = useAction()
  const [isAsking, setAsking] = useState(false)
  const shown = own && (last === null || own.index >= last.index) ? own : last
  const verify = async (repair: boolean) => {
    await run(async () => setOwn(await connection.request<Verification>('/cluster/verify', { method: 'POST', body: { repair } })))
  }
  const isBad = shown !== null && shown.outcome !== 'equal' && shown.outcome !== 'incomplete'
  return (
    <Stack gap="md">
      <ErrorAlert error={error} />
      <Panel
        title="Last verification"
        actions={
          session.can('admin') && (
            <>
              {isBad && (
                <Button variant="default" onClick={() => setAsking(true)}>
                  Verify and repair
                </Button>
              )}
              <Button onClick={() => void verify(false)} loading={isBusy}>
                Verify now
              </Button>
            </>
          )
        }
      >
        {shown ? <Result result={shown} /> : <EmptyState title="Nothing was compared yet">All nodes compare their content every hour and after each start; or now, if you wish.</EmptyState>}
      </Panel>
      {isAsking && (
        <ConfirmDialog title="Verify and repair" action="Repair" onConfirm={() => verify(true)} onClose={() => setAsking(false)}>
          <Text size="sm">Nodes that differ from the majority replace their content by another node’s. They keep what they have now in their quarantine folder, and serve nobody until they are done.</Text>
        </ConfirmDialog>
      )}
    </Stack>
  )
}

function Result({ result }: { result: Verification }) {
  const { color, text } = outcomes[result.outcome]
  return (
    <Stack gap="sm">
      <Group gap="sm">
        <Badge color={color} variant="light">
          {result.outcome.replace('_', ' ')}
        </Badge>
        <Text size="sm">
          At entry {result.index} {text}. {formatTime(result.at)}, took {formatMs(result.duration_ms)}.
        </Text>
      </Group>
      <Group gap="md">
        {result.nodes.map(n => (
          <span key={n.id} className="with-dot">
            <NodeDot health={n.health === 'healthy' ? 'good' : n.health === 'silent' ? 'warn' : 'bad'} />
            <Text size="sm" component="span">
              Node {n.id}: {n.health}
              {n.damage !== null && ` (${n.damage})`}
            </Text>
          </span>
        ))}
      </Group>
      {result.databases.length > 0 && (
        <ScrollTable label="What differs" columns={['Table', 'Nodes', 'First rows', 'What']}>
          {result.databases.flatMap(d =>
            d.tables.map(t => (
              <Table.Tr key={`${d.name}.${t.table}`}>
                <Table.Td data-label="Table" className="mono">
                  {d.name}.{t.table}
                </Table.Td>
                <Table.Td data-label="Nodes">{t.nodes.join(', ')}</Table.Td>
                <Table.Td data-label="First rows" className="mono">{t.keys.join('; ')}</Table.Td>
                <Table.Td data-label="What">{t.detail}</Table.Td>
              </Table.Tr>
            )),
          )}
        </ScrollTable>
      )}
    </Stack>
  )
}
