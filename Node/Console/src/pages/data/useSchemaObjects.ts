import { useEffect, useState } from 'react'
import type { RowsAnswer } from '../../api/types'
import { useConnection } from '../../state/cluster'

/** What a database's users have defined beside the columns that GET /databases lists. */
export interface SchemaObject {
  readonly kind: 'table' | 'view' | 'index' | 'trigger'
  readonly name: string
  /** What it belongs to; a table's is itself. */
  readonly table: string
  /** Null for an index that SQLite made for a PRIMARY KEY or UNIQUE. */
  readonly sql: string | null
}

const objectsSql = String.raw`SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE tbl_name NOT LIKE '\_distdb\_%' ESCAPE '\' ORDER BY name`

/**
 * Everything in a database's schema; null until it has been heard of, or where it cannot be had.
 * @param round Another one asks again.
 */
export function useSchemaObjects(database: string | null, round: unknown): SchemaObject[] | null {
  const connection = useConnection()
  const [found, setFound] = useState<{ database: string; objects: SchemaObject[] } | null>(null)
  useEffect(() => {
    if (database === null) {
      return
    }

    const abort = new AbortController()
    connection.request<RowsAnswer>('/query', { method: 'POST', body: { command: 'query', database, query: objectsSql }, signal: abort.signal }).then(
      ({ rows }) => setFound({ database, objects: rows.map(([kind, name, table, sql]) => ({ kind, name, table, sql }) as SchemaObject) }),
      // What is wrong is told where the tables are listed, by the same node.
      () => setFound(null),
    )
    return () => abort.abort()
  }, [connection, database, round])
  return found?.database === database ? found.objects : null
}
