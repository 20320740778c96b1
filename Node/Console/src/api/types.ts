// The wire types, as the node's OpenAPI document has them.
import type { components } from './openapi'

type Schemas = components['schemas']

export type ClusterStatus = Schemas['ClusterStatus']
export type Member = Schemas['ClusterMemberStatus']
export type NodeStatus = Schemas['NodeStatus']
export type DatabasesAnswer = Schemas['DatabasesAnswer']
export type Database = Schemas['DatabaseAnswer']
export type Table = Schemas['TableAnswer']
export type Column = Schemas['ColumnAnswer']
export type MembersAnswer = Schemas['MembersAnswer']
export type PromoteAnswer = Schemas['PromoteAnswer']
export type Verification = Schemas['VerificationStatus']
export type Access = Schemas['AccessAnswer']
export type Role = Access['role']
export type Token = Schemas['TokenAnswer']
export type NewToken = Schemas['NewTokenAnswer']
export type Problem = Schemas['Problem']
export type ProblemCode = Schemas['ProblemCode']

/** A value in a row: integers that a double cannot hold are bigints, blobs are `{base64}`. */
export type SqlValue = null | number | bigint | string | { base64: string }

/** What a query answers. */
export interface RowsAnswer {
  columns: string[]
  types: (string | null)[]
  rows: SqlValue[][]
  index: number
  node: number
  elapsed_ms: number
}

/** What a write answers; with rows where it has `RETURNING`. */
export interface WriteAnswer extends Partial<Pick<RowsAnswer, 'columns' | 'types' | 'rows'>> {
  rows_affected: number
  last_insert_id: number
  index: number
  node: number
  elapsed_ms: number
}

/** What a transaction answers. */
export interface TransactionAnswer {
  results: Omit<WriteAnswer, 'index' | 'node' | 'elapsed_ms'>[]
  index: number
  node: number
  elapsed_ms: number
}
