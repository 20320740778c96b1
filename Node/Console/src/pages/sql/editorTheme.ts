import { HighlightStyle, syntaxHighlighting } from '@codemirror/language'
import { EditorView } from '@codemirror/view'
import { tags } from '@lezer/highlight'

// The colours are variables of sql.css, so that light and dark need no other editor.

const look = EditorView.theme({
  '&': { height: '100%', fontSize: '0.8125rem', color: 'var(--mantine-color-text)', backgroundColor: 'var(--app-surface)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mantine-font-family-monospace)', lineHeight: '1.55' },
  '.cm-content': { caretColor: 'var(--mantine-color-text)', padding: '8px 0' },
  '.cm-cursor': { borderLeftColor: 'var(--mantine-color-text)' },
  '.cm-gutters': { backgroundColor: 'var(--app-surface)', color: 'var(--mantine-color-dimmed)', border: 'none' },
  '.cm-activeLineGutter, .cm-activeLine': { backgroundColor: 'transparent' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': { backgroundColor: 'var(--sql-selection)' },
  '.cm-matchingBracket': { backgroundColor: 'var(--sql-selection) !important' },
  '.cm-placeholder': { color: 'var(--mantine-color-placeholder)' },
  '.cm-tooltip': { backgroundColor: 'var(--app-surface)', border: '1px solid var(--app-border)', color: 'var(--mantine-color-text)' },
  '.cm-tooltip-autocomplete ul li[aria-selected]': { backgroundColor: 'var(--mantine-primary-color-filled)', color: 'white' },
  '.cm-completionDetail': { color: 'inherit', opacity: '1', fontStyle: 'normal' },
  '.cm-sql-current': { boxShadow: 'inset 3px 0 0 var(--sql-current)' },
  '.cm-sql-error': { textDecoration: 'underline wavy var(--app-bad) 1.5px', textUnderlineOffset: '3px', backgroundColor: 'var(--sql-error)' },
})

const colors = HighlightStyle.define([
  { tag: tags.keyword, color: 'var(--sql-keyword)', fontWeight: '600' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--sql-string)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--sql-number)' },
  { tag: [tags.comment, tags.lineComment, tags.blockComment], color: 'var(--mantine-color-dimmed)', fontStyle: 'italic' },
  { tag: [tags.typeName, tags.standard(tags.name)], color: 'var(--sql-type)' },
])

export const editorTheme = [look, syntaxHighlighting(colors)]
