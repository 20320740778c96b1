import { Group, Text } from '@mantine/core'
import { NodeDot } from '../components/NodeDot'
import { useClusterValue } from '../state/cluster'
import { healthOf } from '../state/health'

/** How many nodes are up, on every page. */
export function HealthSummary() {
  const nodes = useClusterValue(cluster => cluster?.nodes.map(m => healthOf(m).health) ?? null)
  if (nodes === null) {
    return null
  }

  const up = nodes.filter(h => h === 'good').length
  const health = up === nodes.length ? 'good' : nodes.includes('bad') ? 'bad' : 'warn'
  return (
    <Group gap={6} wrap="nowrap" role="status">
      <NodeDot health={health} />
      <Text size="sm" className="tabular health-text" truncate>
        {up} of {nodes.length} {nodes.length === 1 ? 'node' : 'nodes'} up
      </Text>
    </Group>
  )
}
