import type { Member } from '../api/types'
import { healthOf } from '../state/health'

/** Green, amber or red, for eyes alone: the words stand beside it. */
export function NodeDot({ member }: { member: Pick<Member, 'reachable' | 'status'> }) {
  return <span className="dot" data-health={healthOf(member).health} aria-hidden="true" />
}
