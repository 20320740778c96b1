import { Button, Group, Skeleton, Tabs } from '@mantine/core'
import type { Database } from '../../api/types'
import { EmptyState } from '../../components/EmptyState'
import { ErrorAlert } from '../../components/ErrorAlert'
import { openInSql } from '../../components/openInSql'
import { Page } from '../../components/Page'
import { useDatabases } from '../../state/request'
import { hrefOf, navigate, useRoute } from '../../state/route'
import type { Place } from './editing'
import { RowsView } from './RowsView'
import { SchemaTree } from './SchemaTree'
import { StructureView } from './StructureView'
import { useSchemaObjects } from './useSchemaObjects'
import './data.css'

/** What is in the databases: a tree of all that is defined, and a table's rows. */
export default function DataPage() {
  const [, database, table] = useRoute()
  const { data, error, reload } = useDatabases()
  const databases = data?.databases
  return (
    <Page
      title="Data"
      description="Everything that is in the databases, as the node has it that this page speaks with."
      actions={
        <Button variant="default" onClick={reload}>
          Refresh the list
        </Button>
      }
    >
      {error !== null && <ErrorAlert error={error} action={<Button onClick={reload}>Try again</Button>} />}
      <div className="data-page" data-chosen={table !== undefined || undefined}>
        <section className="panel data-tree">
          {databases ? <SchemaTree databases={databases} database={database} table={table} round={databases} /> : <Skeleton height={200} m="xs" />}
        </section>
        <section className="panel data-main" aria-label={table ?? 'Table'}>
          {databases && <Chosen databases={databases} database={database} table={table} />}
        </section>
      </div>
    </Page>
  )
}

function Chosen({ databases, database, table: name }: { databases: readonly Database[]; database: string | undefined; table: string | undefined }) {
  const found = databases.find(d => d.name === database)?.tables.find(t => t.name === name)
  if (found && database !== undefined) {
    return <TableView key={`${database}/${found.name}`} database={database} table={found} round={databases} />
  }

  return name === undefined ? (
    <EmptyState title="Choose a table">
      {databases.every(d => d.name === 'history_query' || d.tables.length === 0) && 'There is none yet: write a CREATE TABLE on the page SQL, and it appears here.'}
    </EmptyState>
  ) : (
    <EmptyState title={`There is no ${name} in ${database}`}>
      It may have been dropped, or this node does not have it yet. <a href={hrefOf('data')}>All tables</a>
    </EmptyState>
  )
}

function TableView({ round, ...place }: Place & { round: unknown }) {
  const { database, table } = place
  const objects = useSchemaObjects(database, round)?.filter(o => o.table === table.name) ?? []
  const isReadable = table.problem === null
  return (
    <Tabs defaultValue={isReadable ? 'rows' : 'structure'} keepMounted={false} className="data-tabs">
      <div className="data-head">
        <Button variant="default" size="compact-xs" className="data-back" onClick={() => navigate('data')}>
          All tables
        </Button>
        <h2>
          <span>{database}</span> {table.name}
        </h2>
        <Tabs.List>
          <Tabs.Tab value="rows" disabled={!isReadable}>
            Rows
          </Tabs.Tab>
          <Tabs.Tab value="structure">Structure</Tabs.Tab>
        </Tabs.List>
        <Button
          variant="default"
          size="compact-xs"
          ml="auto"
          onClick={() => openInSql({ database, text: `SELECT * FROM "${table.name.replaceAll('"', '""')}" LIMIT 1000;` })}
        >
          Query in SQL
        </Button>
      </div>
      <Tabs.Panel value="rows">
        <RowsView {...place} />
      </Tabs.Panel>
      <Tabs.Panel value="structure">
        {!isReadable && (
          <Group p="sm">
            <ErrorAlert error={new Error(`SQLite cannot use ${table.name}: ${table.problem}. Mend what it refers to, or drop it.`)} />
          </Group>
        )}
        <StructureView {...place} objects={objects} />
      </Tabs.Panel>
    </Tabs>
  )
}
