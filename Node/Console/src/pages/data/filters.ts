import type { Column, SqlValue } from '../../api/types'
import { parse, usualKind } from '../../components/typedValues'

/** A condition for rows, as the command search has them. */
export type Condition = Record<string, null | Record<string, SqlValue>>

export const operators = [
  { value: 'eq', label: '=' },
  { value: 'ne', label: '≠' },
  { value: 'lt', label: '<' },
  { value: 'lte', label: '≤' },
  { value: 'gt', label: '>' },
  { value: 'gte', label: '≥' },
  { value: 'contains', label: 'contains' },
  { value: 'like', label: 'LIKE' },
  { value: 'null', label: 'is NULL' },
  { value: 'not_null', label: 'is not NULL' },
] as const
export type Operator = (typeof operators)[number]['value']

export interface Filter {
  readonly id: string
  readonly column: string
  readonly operator: Operator
  readonly text: string
}

/** Whether an operator takes a value. */
export function takesValue(operator: Operator): boolean {
  return operator !== 'null' && operator !== 'not_null'
}

/** All filters as one condition; those whose value is still missing count for nothing. */
export function conditionOf(filters: readonly Filter[], columns: readonly Column[]): { condition: Condition; problem: string | null } {
  const condition: Record<string, Record<string, SqlValue>> = {}
  let problem: string | null = null
  for (const { column, operator, text } of filters) {
    const type = columns.find(c => c.name === column)?.type
    if (type === undefined || (takesValue(operator) && text === '')) {
      continue
    }

    const [key, value] = termOf(operator, text, type)
    const terms = (condition[column] ??= {})
    if (key in terms) {
      problem = `Two filters say the same kind of thing of ${column}: the last one counts.`
    }

    terms[key] = value
  }

  return { condition, problem }
}

function termOf(operator: Operator, text: string, type: string): [string, SqlValue] {
  switch (operator) {
    case 'contains':
      return ['like', `%${text}%`]
    case 'like':
      return ['like', text]
    case 'null':
      return ['eq', null]
    case 'not_null':
      return ['ne', null]
    default: {
      const parsed = usualKind(type) === 'number' ? parse({ kind: 'number', text }) : null
      return [operator, parsed && parsed.problem === undefined ? parsed.value! : text]
    }
  }
}
