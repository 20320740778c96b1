import { isArrayOf, useStored } from '../../components/useStored'
import { newId } from '../../components/newId'
import type { Consistency } from './run'

/** A text that is worked on, and where it is sent. */
export interface SqlTab {
  readonly id: string
  /** What it was saved as; empty where it was not. */
  readonly name: string
  readonly text: string
  readonly database: string
  /** A node's id; null for the one that the page speaks with. */
  readonly node: number | null
  readonly consistency: Consistency
}

interface Tabs {
  readonly tabs: readonly SqlTab[]
  readonly current: SqlTab
  choose(id: string): void
  /** Opens another one; where the current one is empty, in its place. */
  open(content?: Partial<SqlTab>): void
  change(id: string, content: Partial<SqlTab>): void
  close(id: string): void
}

const isTabs = isArrayOf<SqlTab>({ id: ['string'], name: ['string'], text: ['string'], database: ['string'], node: ['number', 'object'], consistency: ['string'] })
const isNonEmpty = (value: unknown): value is SqlTab[] => isTabs(value) && value.length > 0

/** The tabs of the page, which outlast it. */
export function useTabs(): Tabs {
  const [tabs, setTabs] = useStored<SqlTab[]>('distdb.sql.tabs', () => [newTab()], isNonEmpty)
  const [currentId, setCurrentId] = useStored<string>('distdb.sql.tab', () => tabs[0]!.id, (value): value is string => typeof value === 'string')
  const current = tabs.find(t => t.id === currentId) ?? tabs[0]!
  return {
    tabs,
    current,
    choose: setCurrentId,
    open: content => {
      const tab = { ...newTab(), database: current.database, node: current.node, ...content }
      const isReplaced = content !== undefined && current.text.trim() === ''
      setTabs(isReplaced ? tabs.map(t => (t === current ? tab : t)) : [...tabs, tab])
      setCurrentId(tab.id)
    },
    change: (id, content) => setTabs(all => all.map(t => (t.id === id ? { ...t, ...content } : t))),
    close: id => {
      const rest = tabs.filter(t => t.id !== id)
      const kept = rest.length > 0 ? rest : [newTab()]
      setTabs(kept)
      if (id === current.id) {
        setCurrentId(kept[Math.max(0, tabs.indexOf(current) - 1)]!.id)
      }
    },
  }
}

const titleChars = 24

/** What a tab is called: its name, or how its text begins. */
export function titleOf({ name, text }: SqlTab): string {
  const begin = text.trim().replace(/^--\s*(\S.*)[^]*/, '$1').replace(/\s+/g, ' ')
  return name !== '' ? name : begin === '' ? 'New query' : begin.length > titleChars ? `${begin.slice(0, titleChars)}…` : begin
}

function newTab(): SqlTab {
  return { id: newId(), name: '', text: '', database: 'main', node: null, consistency: 'local' }
}
