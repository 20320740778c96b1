import type { Health } from '../state/health'

/** Green, amber or red, for eyes alone: the words stand beside it. */
export function NodeDot({ health }: { health: Health }) {
  return <span className="dot" data-health={health} aria-hidden="true" />
}
