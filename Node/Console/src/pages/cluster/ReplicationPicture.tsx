import type { ClusterStatus, Member } from '../../api/types'
import { formatCompact } from '../../format'
import { healthOf } from '../../state/health'
import { lagOf } from '../../state/samples'

const width = 360
const height = 300
const radius = 26

/** Who replicates to whom: an arrow from the leader to each of the others. */
export function ReplicationPicture({ cluster }: { cluster: ClusterStatus }) {
  const leader = cluster.nodes.find(m => m.id === cluster.leader)
  const others = cluster.nodes.filter(m => m !== leader)
  const middle = middleOf(others.length)
  return (
    <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={describe(cluster)} className="picture">
      <defs>
        <marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto-start-reverse">
          <path d="M0 0 10 5 0 10z" fill="context-stroke" />
        </marker>
      </defs>
      {leader && others.map((m, i) => <Arrow key={m.id} member={m} cluster={cluster} from={middle} to={placeOf(i, others.length)} />)}
      {others.map((m, i) => (
        <Node key={m.id} member={m} cluster={cluster} {...placeOf(i, others.length)} />
      ))}
      {leader ? (
        <Node member={leader} cluster={cluster} {...middle} isLabelAbove={others.length <= 2} />
      ) : (
        <text x={width / 2} y={height / 2} className="picture-label bad-text">
          no leader
        </text>
      )}
    </svg>
  )
}

interface Place {
  x: number
  y: number
}

/** The leader stands above one or two others, and in the middle of more. */
function middleOf(count: number): Place {
  return { x: width / 2, y: count > 2 ? height / 2 : 60 }
}

/** Side by side where there are two at most; else on an ellipse around the leader. */
function placeOf(index: number, count: number): Place {
  if (count <= 2) {
    return { x: (width * (2 * index + 1)) / (2 * count), y: height - 80 }
  }

  const angle = (2 * Math.PI * index) / count - Math.PI / 2
  return { x: width / 2 + (width / 2 - radius - 14) * Math.cos(angle), y: height / 2 + (height / 2 - radius - 16) * Math.sin(angle) }
}

function Arrow({ member, cluster, from, to }: { member: Member; cluster: ClusterStatus; from: Place; to: Place }) {
  const length = Math.hypot(to.x - from.x, to.y - from.y)
  const unit = { x: (to.x - from.x) / length, y: (to.y - from.y) / length }
  const lag = lagOf(member, cluster)
  return (
    <g data-health={healthOf(member).health} className="picture-arrow">
      <line
        x1={from.x + unit.x * (radius + 6)}
        y1={from.y + unit.y * (radius + 6)}
        x2={to.x - unit.x * (radius + 6)}
        y2={to.y - unit.y * (radius + 6)}
        markerEnd="url(#arrow)"
      />
      {member.reachable && lag !== null && lag > 0 && (
        <text x={(from.x + to.x) / 2 + (unit.x < 0 ? -24 : 24)} y={(from.y + to.y) / 2} className="picture-label">
          −{formatCompact(lag)}
        </text>
      )}
    </g>
  )
}

function Node({ member, cluster, x, y, isLabelAbove = false }: { member: Member; cluster: ClusterStatus; isLabelAbove?: boolean } & Place) {
  const { health, text } = healthOf(member)
  const roles = [cluster.leader === member.id && 'leader', cluster.master === member.id && 'master'].filter(Boolean).join(', ')
  return (
    <g data-health={health} className="picture-node">
      <circle cx={x} cy={y} r={radius} />
      <text x={x} y={y + 5} className="picture-id">
        {member.id}
      </text>
      <text x={x} y={isLabelAbove ? y - radius - 8 : y + radius + 14} className="picture-label">
        {health === 'good' ? roles || 'node' : text}
      </text>
    </g>
  )
}

/** The picture in words. */
function describe(cluster: ClusterStatus): string {
  if (cluster.leader === null) {
    return 'No node leads, and nothing is replicated.'
  }

  const others = cluster.nodes.filter(m => m.id !== cluster.leader)
  const here = others.filter(m => m.reachable).map(m => m.id)
  const gone = others.filter(m => !m.reachable).map(m => m.id)
  return [
    `Node ${cluster.leader} leads`,
    here.length > 0 ? ` and replicates to ${nodes(here)}` : '',
    gone.length > 0 ? `; it does not reach ${nodes(gone)}` : '',
    '.',
  ].join('')
}

function nodes(ids: number[]): string {
  return `${ids.length === 1 ? 'node' : 'nodes'} ${ids.join(', ')}`
}
