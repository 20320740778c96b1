import type { ClusterStatus, Member } from '../api/types'

/** What the charts show: a quarter of an hour, a point each second. */
export const windowS = 15 * 60

/** Rates are those of so many seconds: nodes report to each other four times a second, which would show within one. */
const rateSpanS = 2

/** What was going on at one moment. Null where nothing is known. */
export interface Sample {
  /** Seconds since 1970. */
  readonly time: number
  readonly writesPerS: number | null
  readonly readsPerS: number | null
  readonly writeP99Ms: number | null
  readonly readP99Ms: number | null
  /** Entries that each node has yet to apply, by its id; null for one that is not there. */
  readonly lag: ReadonlyMap<number, number | null>
}

interface Counted {
  writes: number
  reads: number
  uptimeS: number
}

/** The last quarter of an hour, made of the pictures of the cluster that arrive. */
export class Samples {
  #samples: Sample[] = []
  #counted: { time: number; nodes: Map<number, Counted> }[] = []
  #listeners = new Set<() => void>()

  get all(): readonly Sample[] {
    return this.#samples
  }

  /** For useSyncExternalStore. */
  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Takes a picture of the cluster in; of those within a second, the first.
   * @param time Seconds since 1970.
   */
  add(cluster: ClusterStatus, time: number): void {
    const last = this.#samples.at(-1)
    if (last && time - last.time < 0.9) {
      return
    }

    const here = cluster.nodes.filter(m => m.reachable && m.status !== null)
    const nodes = new Map(here.map(m => [m.id, countedOf(m)]))
    const before = this.#counted.find(c => time - c.time <= rateSpanS + 0.5)?.nodes ?? new Map<number, Counted>()
    this.#counted = [...this.#counted.filter(c => time - c.time <= rateSpanS + 0.5), { time, nodes }]
    const rates = (of: (c: Counted) => number) =>
      [...nodes].flatMap(([id, now]) => {
        const then = before.get(id)
        const seconds = then ? now.uptimeS - then.uptimeS : 0
        return then && seconds > 0 ? [Math.max(0, (of(now) - of(then)) / seconds)] : []
      })
    const reads = rates(c => c.reads)
    const sample: Sample = {
      time,
      // Every node applies every write; a node that is catching up applies more than there are.
      writesPerS: median(rates(c => c.writes)),
      readsPerS: reads.length === 0 ? null : reads.reduce((a, b) => a + b, 0),
      writeP99Ms: max(here.map(m => m.status?.counters.write_p99_ms ?? null)),
      readP99Ms: max(here.map(m => m.status?.counters.read_p99_ms ?? null)),
      lag: new Map(cluster.nodes.map(m => [m.id, m.reachable ? lagOf(m, cluster) : null])),
    }
    this.#samples = [...this.#samples.filter(s => time - s.time < windowS), sample]
    for (const listener of this.#listeners) {
      listener()
    }
  }
}

/** The newest entry that the cluster is known to have committed. */
export function commitIndexOf(cluster: ClusterStatus): number {
  return Math.max(0, ...cluster.nodes.map(m => m.status?.commit_index ?? 0))
}

/** How many committed entries a node has yet to apply; null where it never said how far it is. */
export function lagOf(member: Member, cluster: ClusterStatus): number | null {
  return member.status === null ? null : Math.max(0, commitIndexOf(cluster) - member.status.applied_index)
}

function countedOf(member: Member): Counted {
  const { counters, uptime_s } = member.status!
  return { writes: counters.writes, reads: counters.reads, uptimeS: uptime_s }
}

function median(values: number[]): number | null {
  return values.length === 0 ? null : values.sort((a, b) => a - b)[Math.floor((values.length - 1) / 2)]!
}

function max(values: (number | null)[]): number | null {
  const known = values.filter(v => v !== null)
  return known.length === 0 ? null : Math.max(...known)
}
