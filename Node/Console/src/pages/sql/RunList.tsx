import { formatInteger } from '../../format'
import type { Outcome, Run } from './run'

const healths: Partial<Record<Outcome['kind'], string>> = { done: 'good', failed: 'bad', running: 'warn' }

/** The statements of a run with what came of each, for choosing whose result is shown. */
export function RunList({ run, chosen, onChoose }: { run: Run; chosen: number; onChoose: (index: number) => void }) {
  return (
    <ul className="sql-run-list" aria-label="Statements">
      {run.statements.map(({ statement, outcome }, i) => (
        <li key={i}>
          <button type="button" className="sql-run-item" aria-pressed={i === chosen} onClick={() => onChoose(i)}>
            <span className="dot" data-health={healths[outcome.kind]} aria-hidden="true" />
            <code>{statement.text.replace(/\s+/g, ' ')}</code>
            <span>{describe(outcome)}</span>
          </button>
        </li>
      ))}
    </ul>
  )
}

function describe(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'done':
      return outcome.result ? rowsText(outcome.result.rows.length) : outcome.rowsAffected === null ? 'done' : `${rowsText(outcome.rowsAffected)} changed`
    case 'skipped':
      return 'not run'
    case 'undone':
      return 'undone'
    default:
      return outcome.kind
  }
}

/** 1 row, 1,234 rows */
export function rowsText(count: number): string {
  return `${formatInteger(count)} ${count === 1 ? 'row' : 'rows'}`
}
