import { navigate } from '../state/route'

/** A query that another page hands to the page SQL. */
export interface HandedQuery {
  readonly text: string
  readonly database: string
}

let handed: HandedQuery | null = null

/** Goes to the page SQL with a query in the editor. It is not run. */
export function openInSql(query: HandedQuery): void {
  handed = query
  navigate('sql')
}

/** Takes what was handed over, once. */
export function takeHandedQuery(): HandedQuery | null {
  const query = handed
  handed = null
  return query
}
