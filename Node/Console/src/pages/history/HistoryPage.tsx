import { Button, Skeleton } from '@mantine/core'
import { useDebouncedValue } from '@mantine/hooks'
import { useState } from 'react'
import { EmptyState } from '../../components/EmptyState'
import { ErrorAlert } from '../../components/ErrorAlert'
import { Page } from '../../components/Page'
import { EntryDialog } from './EntryDialog'
import { conditionsOf, noFilters } from './filters'
import { LogFilterBar } from './LogFilterBar'
import { LogList } from './LogList'
import { useLog, type LogEntry } from './useLog'
import './history.css'

/** What clients have sent: the cluster's log of queries, as it grows. */
export default function HistoryPage() {
  const [filters, setFilters] = useState(noFilters)
  const [settled] = useDebouncedValue(filters, 300)
  const [isPaused, setPaused] = useState(false)
  const [opened, setOpened] = useState<LogEntry | null>(null)
  const { entries, error, loadOlder, reload } = useLog(settled, isPaused)
  const isFiltered = conditionsOf(settled).conditions.length > 0
  return (
    <Page
      title="Query log"
      description="Every write that clients sent to any node, and reads where --log-reads is on."
      actions={
        <Button variant={isPaused ? 'filled' : 'default'} w={96} aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
          {isPaused ? 'Go on' : 'Pause'}
        </Button>
      }
    >
      <div className="log-page">
        <section className="panel" aria-label="Filters">
          <LogFilterBar filters={filters} onChange={setFilters} />
        </section>
        {error !== null && <ErrorAlert error={error} action={<Button variant="default" onClick={reload}>Try again</Button>} />}
        <section className="panel log-panel" aria-label="Queries">
          {entries === null ? (
            <Skeleton height={200} m="sm" w="auto" />
          ) : entries.length === 0 ? (
            <EmptyState title={isFiltered ? 'Nothing fits' : 'Nothing was written yet'}>
              {isFiltered
                ? 'Change the filters, or clear them. Client, table and operation must be whole.'
                : 'What is written to any node appears here by itself, unless the cluster runs with --history off.'}
            </EmptyState>
          ) : (
            <LogList key={JSON.stringify(settled)} entries={entries} onOpen={setOpened} onEnd={loadOlder} />
          )}
        </section>
      </div>
      {opened && <EntryDialog entry={opened} onClose={() => setOpened(null)} />}
    </Page>
  )
}
