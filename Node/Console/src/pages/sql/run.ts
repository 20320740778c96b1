import type { Connection } from '../../api/connection'
import { ApiError } from '../../api/errors'
import { newId } from '../../components/newId'
import { columnsOf, type Result } from '../../components/sqlValues'
import { readAnswer, type Answer } from './readAnswer'
import type { Parameters } from './parameters'
import { isSchemaChange, type StatementText } from './statements'

export type Consistency = 'local' | 'strong'

/** Where statements go. */
export interface Target {
  readonly database: string
  /** The origin of a node; null for the one that the page speaks with. */
  readonly base: string | null
  readonly consistency: Consistency
}

/** What came of a statement. */
export type Outcome =
  | { readonly kind: 'waiting' | 'running' | 'skipped' | 'undone' }
  | { readonly kind: 'failed'; readonly error: unknown }
  | {
      readonly kind: 'done'
      /** Its rows, where it gives any. */
      readonly result: Result | null
      /** Null for one that only reads. */
      readonly rowsAffected: number | null
      readonly lastInsertId: number | null
      readonly cut: Answer['cut']
    }

/** Where and how an answer was made. */
export interface Answered {
  readonly node: number
  readonly index: number
  /** How long the node took; null where it did not come to say. */
  readonly elapsedMs: number | null
}

export interface StatementRun {
  readonly statement: StatementText
  /** The values of its parameters, where it has any. */
  readonly params: Parameters | undefined
  /** Sent along, so that the statement is done once however often it is sent. A transaction's statements have one together. */
  readonly id: string
  readonly outcome: Outcome
  readonly answered: Answered | null
}

/** Statements that were sent together. */
export interface Run {
  readonly target: Target
  readonly isTransaction: boolean
  readonly statements: readonly StatementRun[]
}

/** A run of these statements, each with the values of its parameters, of which none has been sent. */
export function newRun(statements: readonly StatementText[], params: readonly (Parameters | undefined)[], isTransaction: boolean, target: Target): Run {
  const id = newId()
  return {
    target,
    isTransaction,
    statements: statements.map((statement, i) => ({ statement, params: params[i], id: isTransaction ? id : newId(), outcome: { kind: 'waiting' }, answered: null })),
  }
}

/** The same from a failed statement on, for sending it again: with the same ids, so that what was done is not done twice. */
export function resumed(run: Run, target: Target): Run {
  return {
    ...run,
    target,
    statements: run.statements.map(s => (s.outcome.kind === 'done' ? s : { ...s, outcome: { kind: 'waiting' }, answered: null })),
  }
}

export function isRunning(run: Run): boolean {
  return run.statements.some(s => s.outcome.kind === 'waiting' || s.outcome.kind === 'running')
}

/** Whether a run has changed, or may have changed, what tables there are. */
export function changesSchema(run: Run): boolean {
  return run.statements.some(s => s.outcome.kind === 'done' && isSchemaChange(s.statement.text))
}

/**
 * Sends what waits in a run: one statement after the other until one fails, or all of them as a transaction.
 * @param onChange Gets the run as it goes on.
 */
export async function execute(connection: Connection, run: Run, signal: AbortSignal, onChange: (run: Run) => void): Promise<Run> {
  let current = run
  const set = (change: (s: StatementRun, i: number) => Partial<StatementRun>) => {
    current = { ...current, statements: current.statements.map((s, i) => ({ ...s, ...change(s, i) })) }
    onChange(current)
  }
  if (run.isTransaction) {
    set(() => ({ outcome: { kind: 'running' } }))
    try {
      const transaction = run.statements.map(s => ({ query: s.statement.text, params: s.params }))
      const answer = await send(connection, run.target, run.statements[0]!.id, { command: 'exec', transaction }, signal)
      const results = 'results' in answer ? answer.results : []
      set((_, i) => ({ outcome: outcomeOf(results[i]!), answered: answeredOf(answer) }))
    } catch (error) {
      const failed = failedStatementOf(error)
      set((_, i) => ({ outcome: failed === null || failed === i ? { kind: 'failed', error } : { kind: 'undone' } }))
    }

    return current
  }

  for (const [index, { statement, params, id, outcome }] of run.statements.entries()) {
    if (outcome.kind !== 'waiting') {
      continue
    }

    set((s, i) => (i === index ? { outcome: { kind: 'running' } } : s))
    try {
      const answer = await send(connection, run.target, id, { command: 'query', query: statement.text, params }, signal)
      set((s, i) => (i === index ? { outcome: outcomeOf(answer), answered: answeredOf(answer) } : s))
    } catch (error) {
      set((s, i) => (i === index ? { outcome: { kind: 'failed', error } } : i > index ? { outcome: { kind: 'skipped' } } : s))
      break
    }
  }

  return current
}

function send(connection: Connection, target: Target, id: string, command: object, signal: AbortSignal): Promise<Answer> {
  const { database, consistency, base } = target
  return connection.request<Answer>('/query', {
    method: 'POST',
    body: { ...command, database, id, consistency },
    signal,
    read: readAnswer,
    ...(base !== null && { base }),
  })
}

function outcomeOf(answer: { columns?: string[]; types?: (string | null)[]; rows?: Result['rows'] } & Partial<Answer>): Outcome {
  const { columns, types, rows, cut } = answer
  const isWrite = 'rows_affected' in answer
  return {
    kind: 'done',
    result: columns && types && rows ? { columns: columnsOf({ columns, types }), rows } : null,
    rowsAffected: isWrite ? answer.rows_affected! : null,
    lastInsertId: isWrite ? answer.last_insert_id! : null,
    cut,
  }
}

function answeredOf({ node, index, elapsed_ms }: Answer): Answered {
  return { node, index, elapsedMs: Number.isNaN(elapsed_ms) ? null : elapsed_ms }
}

/** The position of the statement of a transaction that an error is about; null where it is about all of them. */
function failedStatementOf(error: unknown): number | null {
  return error instanceof ApiError ? (error.problem.statement ?? null) : null
}
