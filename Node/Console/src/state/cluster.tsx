import { createContext, useEffect, useState, useSyncExternalStore, type ReactNode } from 'react'
import { Connection, originOf, type ConnectionState } from '../api/connection'
import type { ClusterStatus, Member } from '../api/types'
import { useRequired } from './required'
import { Samples, type Sample } from './samples'

interface Cluster {
  readonly connection: Connection
  readonly samples: Samples
}

const Context = createContext<Cluster | null>(null)

/** Gives the pages below it the cluster: see useConnection, useCluster and the others here. */
export function ClusterProvider({ connection, children }: { connection: Connection; children: ReactNode }) {
  const [samples] = useState(() => new Samples())
  useEffect(
    () =>
      connection.subscribe(() => {
        if (connection.state.phase === 'live' && connection.state.cluster) {
          samples.add(connection.state.cluster, Date.now() / 1000)
        }
      }),
    [connection, samples],
  )
  return <Context value={{ connection, samples }}>{children}</Context>
}

function useContext(): Cluster {
  return useRequired(Context, 'ClusterProvider')
}

/** The way to send requests. */
export function useConnection(): Connection {
  return useContext().connection
}

/** How the cluster is; null until a node has told. Renders anew twice a second: for what is live. */
export function useCluster(): ClusterStatus | null {
  return useConnectionState('cluster')
}

/** One thing of what the page knows; renders anew when it changes. */
export function useConnectionState<K extends keyof ConnectionState>(key: K): ConnectionState[K] {
  const { connection } = useContext()
  return useSyncExternalStore(connection.subscribe, () => connection.state[key])
}

/** What a component needs to know of the cluster; renders anew when that has changed (by its JSON). */
export function useClusterValue<T>(select: (cluster: ClusterStatus | null) => T): T {
  const { connection } = useContext()
  const json = useSyncExternalStore(connection.subscribe, () => JSON.stringify(select(connection.state.cluster)))
  return JSON.parse(json) as T
}

/** A node, for choosing where a request goes. */
export interface NodeChoice {
  readonly id: number
  readonly origin: string
  readonly role: Member['role']
  readonly reachable: boolean
}

/** All nodes, for choosing one. */
export function useNodes(): NodeChoice[] {
  return useClusterValue(cluster =>
    (cluster?.nodes ?? []).map(m => ({ id: m.id, origin: originOf(m.address), role: m.role, reachable: m.reachable })),
  )
}

/** The last quarter of an hour. */
export function useSamples(): readonly Sample[] {
  const { samples } = useContext()
  return useSyncExternalStore(samples.subscribe, () => samples.all)
}
