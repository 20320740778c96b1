import { Select } from '@mantine/core'
import { useNodes } from '../../state/cluster'
import type { SqlTab } from './useTabs'

interface TargetChoiceProps {
  tab: SqlTab
  databases: readonly string[]
  onChange: (change: Partial<SqlTab>) => void
}

/** Where a tab's statements go: database, node, and how fresh reads must be. */
export function TargetChoice({ tab, databases, onChange }: TargetChoiceProps) {
  const nodes = useNodes()
  return (
    <>
      <Select
        className="sql-wide"
        aria-label="Database"
        w={150}
        searchable={databases.length > 10}
        value={tab.database}
        data={[...new Set([...databases, tab.database])]}
        onChange={database => database !== null && onChange({ database })}
      />
      <Select
        className="sql-wide"
        aria-label="Node"
        w={150}
        value={tab.node === null ? '' : String(tab.node)}
        data={[
          { value: '', label: 'Any node' },
          ...nodes.map(n => ({ value: String(n.id), label: `Node ${n.id}${n.role === 'master' ? ' (master)' : ''}`, disabled: !n.reachable })),
        ]}
        onChange={value => onChange({ node: value ? Number(value) : null })}
      />
      <Select
        className="sql-wide"
        aria-label="Consistency of reads"
        w={150}
        value={tab.consistency}
        data={[
          { value: 'local', label: 'Local reads' },
          { value: 'strong', label: 'Strong reads' },
        ]}
        onChange={value => onChange({ consistency: value === 'strong' ? 'strong' : 'local' })}
      />
    </>
  )
}
