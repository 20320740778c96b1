import { Button } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useId, useLayoutEffect, useRef, useState, type KeyboardEvent } from 'react'
import { formatInteger } from '../../format'
import type { LogEntry } from './useLog'

const linePx = 32
const cardPx = 58

/** From this many rows before the end on, older ones are asked for. */
const aheadRows = 30

interface LogListProps {
  entries: readonly LogEntry[]
  onOpen: (entry: LogEntry) => void
  onEnd: () => void
}

/**
 * The entries, the newest at the top. Whoever looks at one keeps it where it is while others arrive above: that is when the list is scrolled, hovered or has
 * the focus; a button says how many have come.
 */
export function LogList({ entries, onOpen, onEnd }: LogListProps) {
  const id = useId()
  const scroller = useRef<HTMLDivElement>(null)
  const isCard = useMediaQuery('(max-width: 48em)', undefined, { getInitialValueInEffect: false })
  const rowPx = isCard ? cardPx : linePx
  const [active, setActive] = useState<number | null>(null)
  const [unseen, setUnseen] = useState(0)
  const newest = useRef(entries[0]?.id ?? 0)
  const toScroll = useRef(0)
  const items = useVirtualizer({
    count: entries.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowPx,
    getItemKey: i => entries[i]!.id,
    overscan: 10,
  })
  useEffect(() => items.measure(), [rowPx, items])

  useLayoutEffect(() => {
    const element = scroller.current!
    const arrived = entries.findIndex(e => e.id <= newest.current)
    newest.current = entries[0]?.id ?? 0
    if (arrived > 0 && (element.scrollTop > 0 || element.matches(':hover, :focus'))) {
      toScroll.current += arrived * rowPx
      setUnseen(n => n + arrived)
    }
    // The entries alone move rows.
  }, [entries])
  useLayoutEffect(() => {
    // Not before there is room for it: few entries fill no window.
    scroller.current!.scrollTop += toScroll.current
    toScroll.current = 0
  }, [unseen])

  const shown = items.getVirtualItems()
  const last = shown.at(-1)?.index ?? 0
  useEffect(() => {
    if (last >= entries.length - aheadRows) {
      onEnd()
    }
  }, [last, entries.length, onEnd])

  const activeIndex = active === null ? -1 : entries.findIndex(e => e.id === active)
  const onKeyDown = (event: KeyboardEvent) => {
    const page = Math.floor(scroller.current!.clientHeight / rowPx)
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[event.key]
    if (step !== undefined) {
      const to = Math.max(0, Math.min(entries.length - 1, activeIndex < 0 ? 0 : activeIndex + step))
      setActive(entries[to]?.id ?? null)
      items.scrollToIndex(to)
    } else if (event.key === 'Enter' && entries[activeIndex]) {
      onOpen(entries[activeIndex])
    } else {
      return
    }

    event.preventDefault()
  }
  return (
    <div className="log-list">
      <div className="log-line log-head" aria-hidden="true">
        <span>Time</span>
        <span>Operation</span>
        <span>Table</span>
        <span>Query</span>
        <span>Rows</span>
        <span>Node</span>
        <span>Client</span>
      </div>
      {unseen > 0 && (
        <Button className="log-unseen" size="compact-xs" onClick={() => scroller.current!.scrollTo({ top: 0 })}>
          {formatInteger(unseen)} new
        </Button>
      )}
      <div
        ref={scroller}
        className="log-scroll"
        role="listbox"
        tabIndex={0}
        aria-label="Queries, the newest first. Arrows move, Enter shows one in full."
        aria-activedescendant={activeIndex >= 0 ? `${id}-${active}` : undefined}
        onKeyDown={onKeyDown}
        onScroll={event => event.currentTarget.scrollTop === 0 && setUnseen(0)}
      >
        <div role="presentation" style={{ height: items.getTotalSize(), minHeight: `calc(100% + ${unseen * rowPx}px)`, position: 'relative' }}>
          {shown.map(({ index, start, key }) => {
            const entry = entries[index]!
            return (
              <div
                key={key}
                id={`${id}-${entry.id}`}
                className="log-line"
                role="option"
                aria-selected={entry.id === active}
                aria-setsize={entries.length}
                aria-posinset={index + 1}
                style={{ top: start, height: rowPx }}
                onClick={() => {
                  setActive(entry.id)
                  onOpen(entry)
                }}
              >
                <time dateTime={isoOf(entry)}>{shortTime(entry)}</time>
                <b>{entry.operation}</b>
                <span>{entry.table === null ? entry.database : `${entry.database}.${entry.table}`}</span>
                <code>{entry.query.replace(/\s+/g, ' ')}</code>
                <span>{formatInteger(entry.rows_affected)}</span>
                <span>{entry.node}</span>
                <span>{entry.client ?? '–'}</span>
              </div>
            )
          })}
        </div>
      </div>
    </div>
  )
}

/** The moment of an entry as ISO 8601. */
export function isoOf({ time }: LogEntry): string {
  return `${time.replace(' ', 'T')}Z`
}

/** Without the date where it is today. */
function shortTime(entry: LogEntry): string {
  const time = new Date(isoOf(entry))
  const clock = time.toLocaleTimeString('en-GB', { timeStyle: 'medium' })
  return time.toDateString() === new Date().toDateString() ? clock : `${time.toLocaleDateString('en-GB', { day: 'numeric', month: 'short' })}, ${clock}`
}
