import type { Member } from '../api/types'

export type Health = 'good' | 'warn' | 'bad'

/** How a node is, as a colour and in a word or two. */
export function healthOf({ reachable, status }: Pick<Member, 'reachable' | 'status'>): { health: Health; text: string } {
  if (!reachable) {
    return { health: 'bad', text: status === null ? 'never seen' : 'down' }
  }

  if (status?.repair) {
    return { health: 'warn', text: 'repairing' }
  }

  if (status?.snapshot) {
    return { health: 'warn', text: 'fetching a copy' }
  }

  if (status !== null && !status.ready) {
    return { health: 'warn', text: 'not ready' }
  }

  return { health: 'good', text: 'up' }
}
