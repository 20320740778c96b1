import { Button, Group, Modal, Stack } from '@mantine/core'
import { CodeBlock } from '../../components/CodeBlock'
import { CopyButton } from '../../components/CopyButton'
import { openInSql } from '../../components/openInSql'
import { formatInteger, formatTime } from '../../format'
import { isoOf } from './LogList'
import type { LogEntry } from './useLog'

/** Everything that the log has of a query. */
export function EntryDialog({ entry, onClose }: { entry: LogEntry; onClose: () => void }) {
  const facts: [name: string, value: string][] = [
    ['Time', formatTime(isoOf(entry))],
    ['Database', entry.database],
    ['Table', entry.table ?? '–'],
    ['Rows affected', formatInteger(entry.rows_affected)],
    ['Sent to', `node ${entry.node}${entry.node_address === null ? '' : ` at ${entry.node_address}`}`],
    ['By', `${entry.client ?? 'unknown'}${entry.token === null ? '' : `, token ${entry.token}`}`],
    ['Log index', formatInteger(entry.entry)],
  ]
  return (
    <Modal opened onClose={onClose} size="lg" title={entry.operation} closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack gap="sm">
        <dl className="log-facts">
          {facts.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
        <div className="log-query">
          <CodeBlock text={entry.query} label="The query" maxHeight={320} />
        </div>
        <Group justify="flex-end" gap="xs">
          <CopyButton text={entry.query} />
          <Button variant="default" size="compact-xs" onClick={() => openInSql({ text: entry.query, database: entry.database })}>
            Open in SQL
          </Button>
        </Group>
      </Stack>
    </Modal>
  )
}
