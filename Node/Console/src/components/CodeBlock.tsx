/** Text as a program has it; scrolls where it is long. */
export function CodeBlock({ text, label, maxHeight }: { text: string; label: string; maxHeight?: number }) {
  return (
    <pre className="code" tabIndex={0} role="region" aria-label={label} style={maxHeight ? { maxHeight } : undefined}>
      {text}
    </pre>
  )
}
