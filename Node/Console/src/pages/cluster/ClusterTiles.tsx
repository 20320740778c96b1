import type { ReactNode } from 'react'
import type { ClusterStatus } from '../../api/types'
import { formatCompact, formatInteger, formatMs } from '../../format'
import { useSamples } from '../../state/cluster'
import { commitIndexOf } from '../../state/samples'

/** The numbers to see first. */
export function ClusterTiles({ cluster }: { cluster: ClusterStatus }) {
  const now = useSamples().at(-1)
  const rate = (value: number | null | undefined) => (value === null || value === undefined ? '–' : formatCompact(value))
  const latency = now?.writeP99Ms ?? null
  return (
    <dl className="tiles">
      <Tile name="Leader" hint="orders the log">
        {cluster.leader === null ? <span className="bad-text">none</span> : `Node ${cluster.leader}`}
      </Tile>
      <Tile name="Master" hint="changes the schema">{`Node ${cluster.master}`}</Tile>
      <Tile name="Log index" hint="committed">
        {formatInteger(commitIndexOf(cluster))}
      </Tile>
      <Tile name="Writes" hint="per second">
        {rate(now?.writesPerS)}
      </Tile>
      <Tile name="Reads" hint="per second">
        {rate(now?.readsPerS)}
      </Tile>
      <Tile name="Write p99" hint="in the last second">
        {latency === null ? '–' : formatMs(latency)}
      </Tile>
    </dl>
  )
}

function Tile({ name, hint, children }: { name: string; hint: string; children: ReactNode }) {
  return (
    <div className="panel tile">
      <dt>{name}</dt>
      <dd className="tile-value tabular">{children}</dd>
      <dd className="tile-hint">{hint}</dd>
    </div>
  )
}
