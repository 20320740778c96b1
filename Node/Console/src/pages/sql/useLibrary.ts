import { isArrayOf, useStored } from '../../components/useStored'

/** A text that was saved under a name. */
export interface SavedQuery {
  readonly name: string
  readonly text: string
  readonly database: string
}

/** A text that was run. */
export interface PastQuery {
  readonly text: string
  readonly database: string
  /** When, in milliseconds since 1970. */
  readonly time: number
  readonly isGood: boolean
}

export interface Library {
  readonly saved: readonly SavedQuery[]
  /** The newest first. */
  readonly past: readonly PastQuery[]
  /** Saves a query, in place of one with the same name. */
  save(query: SavedQuery): void
  forget(name: string): void
  remember(query: PastQuery): void
  clearPast(): void
}

const pastMax = 200

/** Longer texts are dumps rather than queries, and would fill the browser's store. */
const charsMax = 20_000

/** What was saved and what was run, as this browser keeps it for this address. */
export function useLibrary(): Library {
  const [saved, setSaved] = useStored<SavedQuery[]>('distdb.sql.saved', () => [], isArrayOf<SavedQuery>({ name: ['string'], text: ['string'], database: ['string'] }))
  const [past, setPast] = useStored<PastQuery[]>(
    'distdb.sql.history',
    () => [],
    isArrayOf<PastQuery>({ text: ['string'], database: ['string'], time: ['number'], isGood: ['boolean'] }),
  )
  return {
    saved,
    past,
    save: query => setSaved(all => [...all.filter(s => s.name !== query.name), query].sort((a, b) => a.name.localeCompare(b.name))),
    forget: name => setSaved(all => all.filter(s => s.name !== name)),
    remember: query => {
      if (query.text.length <= charsMax) {
        setPast(all => [query, ...all.filter(p => p.text !== query.text || p.database !== query.database)].slice(0, pastMax))
      }
    },
    clearPast: () => setPast([]),
  }
}
