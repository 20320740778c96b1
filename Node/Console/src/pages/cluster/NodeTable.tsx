import { Badge, Progress, Table, Text } from '@mantine/core'
import { useRef } from 'react'
import { originOf } from '../../api/connection'
import type { ClusterStatus, Member } from '../../api/types'
import { NodeDot } from '../../components/NodeDot'
import { right, ScrollTable } from '../../components/ScrollTable'
import { formatBytes, formatDuration, formatInteger, formatMs } from '../../format'
import { healthOf } from '../../state/health'
import { lagOf } from '../../state/samples'

/** From this many entries on a node is shown as catching up; less is what the pictures of a busy cluster differ by. */
const catchUpEntries = 100

/** Every node with what there is to say of it. */
export function NodeTable({ cluster }: { cluster: ClusterStatus }) {
  return (
    <ScrollTable label="All nodes" columns={['Node', 'State', 'Role', 'Address', 'Lag', right('Last contact'), right('Log index'), 'Version', right('Up for')]} className="node-table">
      {cluster.nodes.map(member => (
        <NodeRow key={member.id} member={member} cluster={cluster} />
      ))}
    </ScrollTable>
  )
}

function NodeRow({ member, cluster }: { member: Member; cluster: ClusterStatus }) {
  const { id, address, reachable, last_contact_ms, status } = member
  const { health, text } = healthOf(member)
  const isSelf = id === cluster.node
  return (
    <Table.Tr data-node={id} data-health={health}>
      <Table.Td data-label="Node" fw={600}>
        {id}
      </Table.Td>
      <Table.Td data-label="State">
        <span className="with-dot">
          <NodeDot health={health} /> {text}
        </span>
      </Table.Td>
      <Table.Td data-label="Role">
        <span className="badges">
          {cluster.master === id && (
            <Badge variant="light" color="grape" size="sm">
              master
            </Badge>
          )}
          {cluster.leader === id && (
            <Badge variant="light" color="blue" size="sm">
              leader
            </Badge>
          )}
          {cluster.master !== id && cluster.leader !== id && (
            <Badge variant="light" color="gray" size="sm">
              {member.suffrage === 'learner' ? 'learner' : 'node'}
            </Badge>
          )}
        </span>
      </Table.Td>
      <Table.Td data-label="Address" className="mono">
        <a href={`${originOf(address)}/`} className="quiet-link">
          {address.replace(/^https?:\/\//, '')}
        </a>
      </Table.Td>
      <Table.Td data-label="Lag" className="lag-cell">
        <Lag member={member} cluster={cluster} />
      </Table.Td>
      <Table.Td data-label="Last contact" ta="right" className="tabular">
        {isSelf ? 'this node' : last_contact_ms === null ? 'never' : reachable ? formatMs(last_contact_ms) : `${formatDuration(last_contact_ms / 1000)} ago`}
      </Table.Td>
      <Table.Td data-label="Log index" ta="right" className="tabular">
        {status ? formatInteger(status.applied_index) : '–'}
      </Table.Td>
      <Table.Td data-label="Version" className="mono">
        {status?.versions.distdb ?? '–'}
      </Table.Td>
      <Table.Td data-label="Up for" ta="right" className="tabular">
        {status && reachable ? formatDuration(status.uptime_s) : '–'}
      </Table.Td>
    </Table.Tr>
  )
}

/** How far a node is behind, as a bar for as long as it catches up. */
function Lag({ member, cluster }: { member: Member; cluster: ClusterStatus }) {
  const lag = lagOf(member, cluster)
  const most = useRef(0)
  if (!member.reachable || lag === null) {
    most.current = 0
    return (
      <Text size="sm" c="dimmed">
        –
      </Text>
    )
  }

  const { snapshot } = member.status!
  if (snapshot) {
    return <CatchUp share={snapshot.total_bytes > 0 ? snapshot.arrived_bytes / snapshot.total_bytes : 0} text={`${formatBytes(snapshot.arrived_bytes)} of ${formatBytes(snapshot.total_bytes)}`} />
  }

  most.current = lag === 0 ? 0 : Math.max(most.current, lag)
  return most.current >= catchUpEntries ? (
    <CatchUp share={1 - lag / most.current} text={`${formatInteger(lag)} to go`} />
  ) : (
    <span className="tabular">{lag === 0 ? 'none' : formatInteger(lag)}</span>
  )
}

function CatchUp({ share, text }: { share: number; text: string }) {
  return (
    <span className="catch-up">
      <Progress value={100 * share} size="sm" color="yellow.7" aria-label="Catching up" />
      <span className="tabular">{text}</span>
    </span>
  )
}
