import { useMemo } from 'react'
import type { ClusterStatus } from '../../api/types'
import { Panel } from '../../components/Panel'
import { TimeChart, type Line } from '../../components/TimeChart'
import { formatCompact, formatMs } from '../../format'
import { useSamples } from '../../state/cluster'
import { windowS, type Sample } from '../../state/samples'

const colorCount = 8

/** A page that was just opened shows less than a quarter of an hour, or its lines would be a few pixels wide. */
const spansS = [2 * 60, 5 * 60]

/** The last quarter of an hour, as far as this page was open. */
export function ClusterCharts({ cluster }: { cluster: ClusterStatus }) {
  const samples = useSamples()
  const ids = cluster.nodes.map(m => m.id).join()
  const charts = useMemo(() => chartsOf(samples, ids === '' ? [] : ids.split(',').map(Number)), [samples, ids])
  const times = useMemo(() => samples.map(s => s.time), [samples])
  const spanS = spansS.find(span => (times.at(-1) ?? 0) - (times[0] ?? 0) < span) ?? windowS
  return charts.map(({ title, lines, format }) => (
    <Panel key={title} title={title}>
      <TimeChart label={`${title}: the last ${spanS / 60} minutes, since this page was opened`} times={times} lines={lines} windowS={spanS} format={format} />
    </Panel>
  ))
}

function chartsOf(samples: readonly Sample[], nodes: number[]): { title: string; lines: Line[]; format: (value: number) => string }[] {
  const line = (label: string, color: number, value: (s: Sample) => number | null): Line => ({ label, color, values: samples.map(value) })
  return [
    { title: 'Writes per second', format: formatCompact, lines: [line('cluster', 1, s => s.writesPerS)] },
    { title: 'Reads per second', format: formatCompact, lines: [line('all nodes', 3, s => s.readsPerS)] },
    {
      title: 'Latency, p99',
      format: formatMs,
      lines: [line('writes', 1, s => s.writeP99Ms), line('reads', 3, s => s.readP99Ms)],
    },
    {
      title: 'Lag in entries',
      format: formatCompact,
      lines: nodes.map((id, i) => line(`node ${id}`, (i % colorCount) + 1, s => s.lag.get(id) ?? null)),
    },
  ]
}
