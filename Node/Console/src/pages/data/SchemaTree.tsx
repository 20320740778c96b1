import { TextInput, UnstyledButton } from '@mantine/core'
import { useState, type ReactNode } from 'react'
import type { Database, Table } from '../../api/types'
import { formatBytes } from '../../format'
import { DownIcon, KeyIcon, SearchIcon } from '../../icons'
import { hrefOf } from '../../state/route'
import { useSchemaObjects, type SchemaObject } from './useSchemaObjects'

interface SchemaTreeProps {
  databases: readonly Database[]
  /** What is shown beside the tree. */
  database: string | undefined
  table: string | undefined
  /** Another one asks for indexes and triggers again. */
  round: unknown
}

/** Databases, in them tables and views, in these columns, indexes and triggers. */
export function SchemaTree({ databases, database, table, round }: SchemaTreeProps) {
  const [search, setSearch] = useState('')
  const wanted = search.trim().toLowerCase()
  return (
    <nav aria-label="Databases">
      <TextInput
        aria-label="Find a table"
        placeholder="Find a table"
        leftSection={<SearchIcon size={14} />}
        value={search}
        onChange={event => setSearch(event.currentTarget.value)}
        m="xs"
      />
      <ul className="tree">
        {databases.map(d => (
          <DatabaseBranch
            key={d.name}
            database={d}
            tables={d.tables.filter(t => t.name.toLowerCase().includes(wanted))}
            isOpenAtFirst={d.name === (database ?? 'main') || databases.length === 1}
            isSearched={wanted !== ''}
            chosenTable={d.name === database ? table : undefined}
            round={round}
          />
        ))}
      </ul>
    </nav>
  )
}

interface DatabaseBranchProps {
  database: Database
  tables: readonly Table[]
  isOpenAtFirst: boolean
  isSearched: boolean
  chosenTable: string | undefined
  round: unknown
}

function DatabaseBranch({ database, tables, isOpenAtFirst, isSearched, chosenTable, round }: DatabaseBranchProps) {
  const [isOpen, setOpen] = useState(isOpenAtFirst)
  const isShown = isSearched ? tables.length > 0 : isOpen || chosenTable !== undefined
  const objects = useSchemaObjects(isShown ? database.name : null, round)
  return (
    <li>
      <Toggle isOpen={isShown} onToggle={() => setOpen(!isShown)} label={database.name}>
        <b>{database.name}</b> <small>{formatBytes(database.bytes)}</small>
      </Toggle>
      {isShown && (
        <ul>
          {tables.length === 0 && <li className="tree-leaf">no tables yet</li>}
          {tables.map(t => (
            <TableBranch key={t.name} database={database.name} table={t} isChosen={t.name === chosenTable} objects={objects?.filter(o => o.table === t.name) ?? []} />
          ))}
        </ul>
      )}
    </li>
  )
}

function TableBranch({ database, table, isChosen, objects }: { database: string; table: Table; isChosen: boolean; objects: readonly SchemaObject[] }) {
  const [isOpen, setOpen] = useState(false)
  const indexes = objects.filter(o => o.kind === 'index')
  const triggers = objects.filter(o => o.kind === 'trigger')
  return (
    <li>
      <div className="tree-row" data-chosen={isChosen || undefined}>
        <Toggle isOpen={isOpen} onToggle={() => setOpen(!isOpen)} label={`What is in ${table.name}`} />
        <a href={hrefOf('data', database, table.name)} {...(isChosen && { 'aria-current': 'page' as const })}>
          {table.name} {table.kind !== 'table' && <small>{table.kind}</small>} {table.problem !== null && <small className="bad-text">broken</small>}
        </a>
      </div>
      {isOpen && (
        <ul>
          {table.columns.map(c => (
            <li key={c.name} className="tree-leaf">
              {c.primary_key && <KeyIcon size={12} aria-hidden={false} role="img" aria-label="Primary key:" />} {c.name} <small>{c.type.toLowerCase()}</small>
            </li>
          ))}
          {indexes.map(o => (
            <li key={o.name} className="tree-leaf">
              <small>index</small> {o.name}
            </li>
          ))}
          {triggers.map(o => (
            <li key={o.name} className="tree-leaf">
              <small>trigger</small> {o.name}
            </li>
          ))}
        </ul>
      )}
    </li>
  )
}

/** A button that opens a branch; with its own text, or with a label where a link stands beside it. */
function Toggle({ isOpen, onToggle, label, children }: { isOpen: boolean; onToggle: () => void; label: string; children?: ReactNode }) {
  return (
    <UnstyledButton className="tree-toggle" aria-expanded={isOpen} aria-label={label} onClick={onToggle}>
      <DownIcon size={14} className="tree-chevron" />
      {children}
    </UnstyledButton>
  )
}
