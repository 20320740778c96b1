import { StateEffect, StateField, type EditorState, type Extension } from '@codemirror/state'
import { Decoration, EditorView, type DecorationSet } from '@codemirror/view'
import type { Span } from './errorPlace'
import { splitStatements, statementAt, type StatementText } from './statements'

const currentLine = Decoration.line({ class: 'cm-sql-current' })
const errorMark = Decoration.mark({ class: 'cm-sql-error' })

const setError = StateEffect.define<Span | null>()

const statements = StateField.define<readonly StatementText[]>({
  create: state => splitStatements(state.doc.toString()),
  update: (value, { docChanged, newDoc }) => (docChanged ? splitStatements(newDoc.toString()) : value),
})

/** A line at the left of the statement that would be run. */
const current = EditorView.decorations.compute([statements, 'selection'], state => {
  const statement = state.selection.main.empty ? statementAt(state.field(statements), state.selection.main.head) : undefined
  if (!statement) {
    return Decoration.none
  }

  const first = state.doc.lineAt(statement.from).number
  const last = state.doc.lineAt(statement.to).number
  return Decoration.set(Array.from({ length: last - first + 1 }, (_, i) => currentLine.range(state.doc.line(first + i).from)))
})

/** Where the fault is that the node found; until the text is changed there. */
const errors = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update: (marks, { effects, docChanged }) => {
    const set = effects.find(e => e.is(setError))
    return set ? (set.value && set.value.to > set.value.from ? Decoration.set(errorMark.range(set.value.from, set.value.to)) : Decoration.none) : docChanged ? Decoration.none : marks
  },
  provide: field => EditorView.decorations.from(field),
})

/** Marks the statement at the cursor, and errors. */
export const marks: Extension = [statements, current, errors]

/** Marks a fault, and shows it; null takes the mark away. */
export function markError(view: EditorView, span: Span | null): void {
  const isWithin = span !== null && span.to <= view.state.doc.length
  view.dispatch({ effects: [setError.of(isWithin ? span : null), ...(isWithin ? [EditorView.scrollIntoView(span.from, { y: 'nearest' })] : [])] })
}

/** What is to be run: what is selected, or the statement at the cursor. Positions are those of the whole text. */
export function statementsToRun(state: EditorState): readonly StatementText[] {
  const { empty, from, to, head } = state.selection.main
  if (empty) {
    const statement = statementAt(state.field(statements), head)
    return statement ? [statement] : []
  }

  return splitStatements(state.sliceDoc(from, to)).map(s => ({ ...s, from: s.from + from, to: s.to + from, end: s.end + from }))
}

/** All statements of the text. */
export function allStatements(state: EditorState): readonly StatementText[] {
  return state.field(statements)
}
