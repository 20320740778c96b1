import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete'
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { sql, SQLite, type SQLNamespace } from '@codemirror/lang-sql'
import { bracketMatching } from '@codemirror/language'
import { Compartment, EditorState, Prec } from '@codemirror/state'
import { drawSelection, EditorView, keymap, lineNumbers, placeholder } from '@codemirror/view'
import { useEffect, useRef } from 'react'
import type { Table } from '../../api/types'
import { nonce } from '../../nonce'
import { editorTheme } from './editorTheme'
import { allStatements, marks, statementsToRun } from './marks'
import type { StatementText } from './statements'

interface SqlEditorProps {
  /** What it holds when it is made; afterwards the editor is its owner. Give each text an editor of its own by a key. */
  text: string
  /** For completion. */
  tables: readonly Table[]
  onChange: (text: string) => void
  onRun: (statements: readonly StatementText[]) => void
  /** Gets the editor, and null when it goes. */
  onView: (view: EditorView | null) => void
}

const language = new Compartment()

/** An editor for SQL. Ctrl-Enter runs the selection or the statement at the cursor, Ctrl-Shift-Enter all statements. */
export function SqlEditor({ text, tables, onChange, onRun, onView }: SqlEditorProps) {
  const place = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | null>(null)
  const newest = useRef({ tables, onChange, onRun, onView })
  newest.current = { tables, onChange, onRun, onView }

  useEffect(() => {
    const run = (select: (state: EditorState) => readonly StatementText[]) => (target: EditorView) => {
      newest.current.onRun(select(target.state))
      return true
    }
    const made = new EditorView({
      parent: place.current!,
      state: EditorState.create({
        doc: text,
        extensions: [
          EditorView.cspNonce.of(nonce),
          Prec.highest(
            keymap.of(
              ['Mod', 'Ctrl'].flatMap(key => [
                { key: `${key}-Enter`, run: run(statementsToRun) },
                { key: `${key}-Shift-Enter`, run: run(allStatements) },
              ]),
            ),
          ),
          lineNumbers(),
          history(),
          drawSelection(),
          bracketMatching(),
          closeBrackets(),
          autocompletion(),
          keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap]),
          language.of(sqlOf(newest.current.tables)),
          placeholder('SELECT …'),
          marks,
          typeOverSelection,
          editorTheme,
          EditorView.contentAttributes.of({ 'aria-label': 'SQL', tabindex: '0' }),
          EditorView.updateListener.of(({ docChanged, state }) => docChanged && newest.current.onChange(state.doc.toString())),
        ],
      }),
    })
    view.current = made
    newest.current.onView(made)
    return () => {
      newest.current.onView(null)
      made.destroy()
    }
    // The text is what it begins with.
  }, [])

  useEffect(() => {
    view.current?.dispatch({ effects: language.reconfigure(sqlOf(tables)) })
  }, [tables])

  return <div ref={place} className="sql-editor" />
}

/**
 * What is typed over a selection goes into the text by the editor alone: a browser would give it the look of what it replaces, by an inline style, which the
 * page's policy forbids and the console would complain of.
 */
const typeOverSelection = EditorView.domEventHandlers({
  beforeinput: (event, view) => {
    const { main, ranges } = view.state.selection
    const text = event.data
    if (event.inputType !== 'insertText' || event.isComposing || text === null || main.empty || ranges.length > 1) {
      return false
    }

    const insert = () => view.state.update(view.state.replaceSelection(text), { userEvent: 'input.type', scrollIntoView: true })
    if (!view.state.facet(EditorView.inputHandler).some(handle => handle(view, main.from, main.to, text, insert))) {
      view.dispatch(insert())
    }

    return true
  },
})

function sqlOf(tables: readonly Table[]) {
  const schema: SQLNamespace = Object.fromEntries(
    tables.map(t => [t.name, t.columns.map(c => ({ label: c.name, type: 'property', detail: c.type.toLowerCase() }))]),
  )
  return sql({ dialect: SQLite, schema, upperCaseKeywords: true })
}
