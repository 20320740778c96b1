import { ActionIcon } from '@mantine/core'
import { useRef, type KeyboardEvent } from 'react'
import { PlusIcon } from '../../icons'
import { titleOf, type SqlTab } from './useTabs'

interface TabBarProps {
  tabs: readonly SqlTab[]
  current: SqlTab
  onChoose: (id: string) => void
  onClose: (id: string) => void
  onOpen: () => void
}

/** The tabs of the editor: arrows go from one to the next, Delete closes one. */
export function TabBar({ tabs, current, onChoose, onClose, onOpen }: TabBarProps) {
  const list = useRef<HTMLDivElement>(null)
  const onKeyDown = (event: KeyboardEvent) => {
    const index = tabs.indexOf(current)
    const next = { ArrowLeft: tabs.at(index - 1), ArrowRight: tabs[(index + 1) % tabs.length], Home: tabs[0], End: tabs.at(-1) }[event.key]
    if (next) {
      onChoose(next.id)
      list.current?.querySelector<HTMLElement>(`[data-tab="${next.id}"]`)?.focus()
    } else if (event.key === 'Delete') {
      onClose(current.id)
    } else {
      return
    }

    event.preventDefault()
  }
  return (
    <div className="sql-tabs">
      <div ref={list} role="tablist" aria-label="Queries" onKeyDown={onKeyDown}>
        {tabs.map(tab => (
          <button
            key={tab.id}
            type="button"
            role="tab"
            className="sql-tab"
            data-tab={tab.id}
            aria-selected={tab === current}
            aria-controls="sql-work"
            tabIndex={tab === current ? 0 : -1}
            aria-keyshortcuts="Delete"
            onClick={() => onChoose(tab.id)}
            onAuxClick={event => event.button === 1 && onClose(tab.id)}
          >
            {titleOf(tab)}
            <span
              className="sql-tab-close"
              title="Close (Delete)"
              aria-hidden="true"
              onClick={event => {
                event.stopPropagation()
                onClose(tab.id)
              }}
            >
              ×
            </span>
          </button>
        ))}
      </div>
      <ActionIcon variant="subtle" color="gray" size={34} aria-label="New tab" onClick={onOpen}>
        <PlusIcon size={16} />
      </ActionIcon>
    </div>
  )
}
