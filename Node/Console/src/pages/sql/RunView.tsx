import { Button, Center, Group, Loader, Text } from '@mantine/core'
import { useState } from 'react'
import { ApiError, UnreachableError } from '../../api/errors'
import { EmptyState } from '../../components/EmptyState'
import { ErrorAlert } from '../../components/ErrorAlert'
import { DataGrid } from '../../components/grid/DataGrid'
import type { CellPosition } from '../../components/grid/selection'
import { ResultTools } from '../../components/ResultTools'
import type { Result } from '../../components/sqlValues'
import { ValueDialog } from '../../components/ValueDialog'
import { formatInteger, formatMs } from '../../format'
import { useNodes } from '../../state/cluster'
import { useSession } from '../../state/session'
import { rowsMax } from './readAnswer'
import type { Outcome, Run, StatementRun } from './run'
import { RunList, rowsText } from './RunList'

interface RunViewProps {
  run: Run
  /** Sends what is not done again; to another node, where one is given by its origin. */
  onResume: (base: string | null) => void
  onStop: () => void
  /** Shows a statement in the editor. */
  onShow: (statement: StatementRun) => void
}

/** What came of a run. */
export function RunView({ run, onResume, onStop, onShow }: RunViewProps) {
  const [chosen, setChosen] = useState<number | null>(null)
  const shown = chosen !== null && chosen < run.statements.length ? chosen : mostTelling(run)
  const statement = run.statements[shown]!
  const { outcome } = statement
  return (
    <>
      {run.statements.length > 1 && <RunList run={run} chosen={shown} onChoose={setChosen} />}
      {outcome.kind === 'done' ? (
        <Done statement={statement} outcome={outcome} />
      ) : outcome.kind === 'failed' ? (
        <div className="sql-result-body" style={{ padding: '0.75rem' }}>
          <Failure run={run} statement={statement} error={outcome.error} onResume={onResume} onShow={onShow} />
        </div>
      ) : outcome.kind === 'running' || outcome.kind === 'waiting' ? (
        <Center className="sql-result-body">
          <Group>
            <Loader size="sm" />
            <Text size="sm" role="status">
              {outcome.kind === 'running' ? 'Running' : 'Waiting for its turn'}
            </Text>
            <Button variant="default" onClick={onStop}>
              Stop
            </Button>
          </Group>
        </Center>
      ) : (
        <EmptyState title={outcome.kind === 'skipped' ? 'Not run' : 'Undone'}>
          {outcome.kind === 'skipped'
            ? 'A statement before it failed. Those before that one stay done.'
            : 'Another statement of the transaction failed, so that none of them is done.'}
        </EmptyState>
      )}
    </>
  )
}

/** The statement to look at first: the one that failed or runs, else the last one with rows, else the last one. */
function mostTelling({ statements }: Run): number {
  const at = (test: (outcome: Outcome) => boolean) => statements.findLastIndex(s => test(s.outcome))
  const candidates = [at(o => o.kind === 'failed'), at(o => o.kind === 'running'), at(o => o.kind === 'done' && o.result !== null)]
  return candidates.find(i => i >= 0) ?? statements.length - 1
}

function Done({ statement, outcome }: { statement: StatementRun; outcome: Outcome & { kind: 'done' } }) {
  const { result, rowsAffected, lastInsertId, cut } = outcome
  const { node, index, elapsedMs } = statement.answered!
  const facts = [
    rowsAffected !== null && (result === null || rowsAffected > 0) && `${rowsText(rowsAffected)} changed`,
    result && rowsText(result.rows.length),
    rowsAffected !== null && rowsAffected > 0 && lastInsertId !== null && lastInsertId !== 0 && `last insert id ${lastInsertId}`,
    elapsedMs !== null && formatMs(elapsedMs),
    `log index ${formatInteger(index)}`,
    `node ${node}`,
  ].filter(fact => fact)
  return (
    <>
      <div className="sql-result-bar">
        <span className="tabular" role="status">
          {facts.join(' · ')}
        </span>
        {result && result.columns.length > 0 && <ResultTools result={result} name="result" />}
      </div>
      {cut && (
        <div className="sql-result-bar" role="alert">
          {cut === 'full'
            ? `There are more: a page holds no more than ${formatInteger(rowsMax)} rows or 64 MB. Add WHERE, LIMIT or OFFSET to see others.`
            : 'There are more: the node broke its answer off, mostly because its time limit was reached. Its log says why. Ask for less at once.'}
        </div>
      )}
      {result ? (
        <Rows result={result} />
      ) : (
        <EmptyState title={rowsAffected === 0 ? 'Done; no row was changed' : `Done; ${rowsText(rowsAffected ?? 0)} changed`}>It is stored on a majority of the nodes.</EmptyState>
      )}
    </>
  )
}

function Rows({ result }: { result: Result }) {
  const [opened, setOpened] = useState<CellPosition | null>(null)
  return (
    <div className="sql-result-body">
      <DataGrid label="Result. Arrows move, Shift extends, Ctrl-C copies, Enter shows a value in full, + and - change a column's width." result={result} onOpen={setOpened} />
      {opened && <ValueDialog column={result.columns[opened.column]!} value={result.rows[opened.row]![opened.column]!} onClose={() => setOpened(null)} />}
    </div>
  )
}

interface FailureProps extends Pick<RunViewProps, 'run' | 'onResume' | 'onShow'> {
  statement: StatementRun
  error: unknown
}

function Failure({ run, statement, error, onResume, onShow }: FailureProps) {
  const session = useSession()
  const nodes = useNodes()
  const master = nodes.find(n => n.role === 'master')
  const code = error instanceof ApiError ? error.code : null
  const isStopped = error instanceof DOMException && error.name === 'AbortError'
  // With the same id it is done once, whether or not it was done the first time.
  const mayBeDone = isStopped || code === 'outcome_unknown' || error instanceof UnreachableError
  const doneCount = run.isTransaction ? 0 : run.statements.filter(s => s.outcome.kind === 'done').length
  return (
    <ErrorAlert
      error={isStopped ? new Error('You stopped waiting. A read ends by that; a write may still be done, or have been done.') : error}
      action={
        <>
          {doneCount > 0 && (
            <Text size="sm" mb={6}>
              {doneCount === 1 ? 'The statement before it is' : `The ${doneCount} statements before it are`} done, and stored.
            </Text>
          )}
          <Group gap="xs">
            {code === 'not_master' && session.can('schema') && master && (
              <Button onClick={() => onResume(master.origin)}>
                Send to the master (node {master.id})
              </Button>
            )}
            {mayBeDone && (
              <Button variant="default" onClick={() => onResume(error instanceof UnreachableError ? null : run.target.base)}>
                {error instanceof UnreachableError ? 'Send it to any node again' : 'Send it again'}: it is done once
              </Button>
            )}
            <Button variant="default" onClick={() => onShow(statement)}>
              Show in the editor
            </Button>
          </Group>
        </>
      }
    />
  )
}
