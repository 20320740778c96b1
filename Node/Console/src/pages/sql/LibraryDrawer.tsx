import { ActionIcon, Button, Drawer, Group, Tabs, Text } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import { ConfirmDialog } from '../../components/ConfirmDialog'
import { EmptyState } from '../../components/EmptyState'
import { formatTime } from '../../format'
import { TrashIcon } from '../../icons'
import type { Library, PastQuery, SavedQuery } from './useLibrary'

interface LibraryDrawerProps {
  library: Library
  onOpen: (query: { text: string; database: string; name?: string }) => void
  onClose: () => void
}

/** What was run and what was saved, for opening it again. */
export function LibraryDrawer({ library, onOpen, onClose }: LibraryDrawerProps) {
  const [isClearing, setClearing] = useState(false)
  return (
    <Drawer opened onClose={onClose} position="right" size="md" title="Queries of this browser" closeButtonProps={{ 'aria-label': 'Close' }}>
      <Tabs defaultValue="history" keepMounted={false}>
        <Tabs.List mb="xs">
          <Tabs.Tab value="history">History</Tabs.Tab>
          <Tabs.Tab value="saved">Saved</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="history">
          {library.past.length === 0 ? (
            <EmptyState title="Nothing was run yet">What you run is remembered here, in this browser and for this address only.</EmptyState>
          ) : (
            <>
              <Group justify="flex-end">
                <Button variant="subtle" color="red" onClick={() => setClearing(true)}>
                  Clear the history
                </Button>
              </Group>
              {library.past.map((p: PastQuery) => (
                <Item key={`${p.time} ${p.text}`} text={p.text} onOpen={() => onOpen(p)}>
                  {formatTime(new Date(p.time).toISOString())} · {p.database}
                  {!p.isGood && <span className="bad-text"> · failed</span>}
                </Item>
              ))}
            </>
          )}
        </Tabs.Panel>
        <Tabs.Panel value="saved">
          {library.saved.length === 0 ? (
            <EmptyState title="Nothing was saved yet">Write a query and choose Save: it is kept in this browser, for this address.</EmptyState>
          ) : (
            library.saved.map((s: SavedQuery) => (
              <Group key={s.name} gap={4} wrap="nowrap" align="flex-start">
                <Item text={s.text} onOpen={() => onOpen(s)}>
                  <b>{s.name}</b> · {s.database}
                </Item>
                <ActionIcon variant="subtle" color="gray" aria-label={`Forget ${s.name}`} onClick={() => library.forget(s.name)}>
                  <TrashIcon size={16} />
                </ActionIcon>
              </Group>
            ))
          )}
        </Tabs.Panel>
      </Tabs>
      {isClearing && (
        <ConfirmDialog
          title="Clear the history?"
          action="Clear"
          isDangerous
          onClose={() => setClearing(false)}
          onConfirm={() => Promise.resolve(library.clearPast())}
        >
          This browser forgets what was run here. Saved queries stay.
        </ConfirmDialog>
      )}
    </Drawer>
  )
}

function Item({ text, onOpen, children }: { text: string; onOpen: () => void; children: ReactNode }) {
  return (
    <button type="button" className="sql-library-item" onClick={onOpen}>
      <Text size="xs" c="dimmed" component="span" display="block">
        {children}
      </Text>
      <code>{text}</code>
    </button>
  )
}
