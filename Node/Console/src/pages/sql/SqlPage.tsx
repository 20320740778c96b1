import { Button, Checkbox, Group } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import type { EditorView } from '@codemirror/view'
import { useEffect, useMemo, useRef, useState } from 'react'
import { ApiError } from '../../api/errors'
import { EmptyState } from '../../components/EmptyState'
import { ErrorAlert } from '../../components/ErrorAlert'
import { takeHandedQuery } from '../../components/openInSql'
import { Page } from '../../components/Page'
import { useConnection, useNodes } from '../../state/cluster'
import { useDatabases } from '../../state/request'
import { useSession } from '../../state/session'
import { errorPlace, type Span } from './errorPlace'
import { LibraryDrawer } from './LibraryDrawer'
import { allStatements, markError, statementsToRun } from './marks'
import { ParameterFields } from './ParameterFields'
import { keyOf, parametersOf, valuesFor, type TypedParameters } from './parameters'
import { changesSchema, execute, isRunning, newRun, resumed, type Run, type StatementRun } from './run'
import { RunView } from './RunView'
import { SaveDialog } from './SaveDialog'
import { SqlEditor } from './SqlEditor'
import { splitStatements, withinTransaction, type StatementText } from './statements'
import { TabBar } from './TabBar'
import { TargetChoice } from './TargetChoice'
import { useLibrary } from './useLibrary'
import { titleOf, useTabs } from './useTabs'
import './sql.css'

const noDatabases: never[] = []
const noTables: never[] = []
const noParameters: TypedParameters = {}

/** Where SQL is written and sent. */
export default function SqlPage() {
  const connection = useConnection()
  const session = useSession()
  const nodes = useNodes()
  const { data, error, reload } = useDatabases()
  const databases = data?.databases ?? noDatabases
  const { tabs, current, choose, open, change, close } = useTabs()
  const library = useLibrary()
  const view = useRef<EditorView | null>(null)
  const [runs, setRuns] = useState<ReadonlyMap<string, Run>>(new Map())
  const [isTransaction, setTransaction] = useState(false)
  const [dialog, setDialog] = useState<'library' | 'save' | null>(null)
  const [typed, setTyped] = useState<ReadonlyMap<string, TypedParameters>>(new Map())
  const typedHere = typed.get(current.id) ?? noParameters
  const parameters = useMemo(() => parametersIn(current.text), [current.text])
  const aborts = useRef(new Map<string, AbortController>())
  useEffect(() => {
    const handed = takeHandedQuery()
    if (handed) {
      open(handed)
    }

    return () => aborts.current.forEach(abort => abort.abort())
    // Once, when the page is come to.
  }, [])
  const run = runs.get(current.id)

  const start = async (tabId: string, begun: Run) => {
    aborts.current.get(tabId)?.abort()
    const abort = new AbortController()
    aborts.current.set(tabId, abort)
    if (view.current) {
      markError(view.current, null)
    }

    const ended = await execute(connection, begun, abort.signal, changed => {
      if (aborts.current.get(tabId) === abort) {
        setRuns(all => new Map(all).set(tabId, changed))
      }
    })
    if (aborts.current.get(tabId) !== abort) {
      return
    }

    const failed = ended.statements.find(s => s.outcome.kind === 'failed')
    library.remember({
      text: ended.statements.map(s => s.statement.text).join(';\n'),
      database: ended.target.database,
      time: Date.now(),
      isGood: failed === undefined,
    })
    if (changesSchema(ended)) {
      reload()
    }

    if (failed && view.current?.state.sliceDoc(failed.statement.from, failed.statement.to) === failed.statement.text) {
      markError(view.current, faultOf(failed))
    }
  }
  const runStatements = (statements: readonly StatementText[]) => {
    if (statements.length === 0 || (run && isRunning(run))) {
      return
    }

    const inner = withinTransaction(statements)
    const values = (inner ?? statements).map(s => valuesFor(s.text, typedHere))
    const params = values.filter(v => v !== null)
    if (params.length < values.length) {
      notifications.show({ color: 'red', message: 'Nothing was sent: what is typed for a parameter is no value.' })
      return
    }

    const base = current.node === null ? null : (nodes.find(n => n.id === current.node)?.origin ?? null)
    const { database, consistency } = current
    void start(current.id, newRun(inner ?? statements, params, inner !== null || (isTransaction && statements.length > 1), { database, base, consistency }))
  }
  const show = ({ statement }: StatementRun) => {
    view.current?.dispatch({ selection: { anchor: statement.from, head: Math.min(statement.to, view.current.state.doc.length) }, scrollIntoView: true })
    view.current?.focus()
  }

  return (
    <Page title="SQL" description={session.access?.role === 'read' ? 'Your token may read. What changes anything is refused.' : 'Reads go to the node that you choose; writes reach all nodes.'}>
      <div className="sql-page">
        <section className="panel sql-work" aria-label="Editor">
          <TabBar tabs={tabs} current={current} onChoose={choose} onClose={close} onOpen={() => open()} />
          <div id="sql-work" role="tabpanel" aria-label={titleOf(current)}>
            <div className="sql-tools">
              <Button onClick={() => view.current && runStatements(statementsToRun(view.current.state))} loading={run !== undefined && isRunning(run)}>
                Run
              </Button>
              <Button variant="default" onClick={() => view.current && runStatements(allStatements(view.current.state))} disabled={run !== undefined && isRunning(run)}>
                Run all
              </Button>
              <TargetChoice tab={current} databases={databases.map(d => d.name)} onChange={target => change(current.id, target)} />
              <Checkbox label="All or nothing" checked={isTransaction} onChange={event => setTransaction(event.currentTarget.checked)} />
              <Group gap={6} ml="auto">
                <Button variant="default" onClick={() => setDialog('save')} disabled={current.text.trim() === ''}>
                  Save
                </Button>
                <Button variant="default" onClick={() => setDialog('library')}>
                  History
                </Button>
              </Group>
            </div>
            <div className="sql-editor-frame">
              <SqlEditor
                key={current.id}
                text={current.text}
                tables={databases.find(d => d.name === current.database)?.tables ?? noTables}
                onChange={text => change(current.id, { text })}
                onRun={runStatements}
                onView={made => {
                  view.current = made
                }}
              />
            </div>
          </div>
          {parameters.length > 0 && <ParameterFields parameters={parameters} typed={typedHere} onChange={next => setTyped(all => new Map(all).set(current.id, next))} />}
          <p className="sql-hint">
            <kbd>Ctrl</kbd>+<kbd>Enter</kbd> runs the selection or the statement at the cursor, with <kbd>Shift</kbd> all. {severalHint(isTransaction)}
          </p>
        </section>
        <section className="panel sql-results" aria-label="Results">
          {error !== null && <ErrorAlert error={error} action={<Button variant="default" onClick={reload}>List the databases again</Button>} />}
          {run ? (
            <RunView
              key={current.id}
              run={run}
              onStop={() => aborts.current.get(current.id)?.abort()}
              onShow={show}
              onResume={base => void start(current.id, resumed(run, { ...run.target, base }))}
            />
          ) : (
            <EmptyState title="Nothing was run here yet">
              Write a statement and press Ctrl+Enter. The names of tables and columns are completed while you type, or with Ctrl+Space.
            </EmptyState>
          )}
        </section>
      </div>
      {dialog === 'library' && (
        <LibraryDrawer
          library={library}
          onClose={() => setDialog(null)}
          onOpen={({ text, database, name }) => {
            open({ text, database, ...(name !== undefined && { name }) })
            setDialog(null)
          }}
        />
      )}
      {dialog === 'save' && (
        <SaveDialog
          name={current.name}
          taken={library.saved.map(s => s.name)}
          onClose={() => setDialog(null)}
          onSave={name => {
            library.save({ name, text: current.text, database: current.database })
            change(current.id, { name })
          }}
        />
      )}
    </Page>
  )
}

/** The parameters of all statements of a text, as they are written first; those without a name are each statement's own, and have one field together. */
function parametersIn(text: string): string[] {
  const all = splitStatements(text).flatMap(s => parametersOf(s.text))
  return all.filter((p, i) => all.findIndex(other => keyOf(other) === keyOf(p)) === i)
}

function severalHint(isTransaction: boolean): string {
  return isTransaction ? 'Of several, all are done or none.' : 'Each is stored by itself, until one fails; between BEGIN and COMMIT all are, or none.'
}

/** The part of the text that a failed statement's error is about. */
function faultOf({ statement, outcome }: StatementRun): Span | null {
  if (outcome.kind !== 'failed' || !(outcome.error instanceof ApiError) || outcome.error.code === 'not_master') {
    return null
  }

  const place = errorPlace(outcome.error.problem.detail, statement.text)
  return place ? { from: statement.from + place.from, to: statement.from + place.to } : { from: statement.from, to: statement.to }
}
