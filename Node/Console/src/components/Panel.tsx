import { Group, Title } from '@mantine/core'
import { useId, type ReactNode } from 'react'

interface PanelProps {
  title?: ReactNode
  actions?: ReactNode
  /** Leaves out the space around the content, for tables and charts. */
  flush?: boolean
  className?: string
  children: ReactNode
}

/** A part of a page with a border and, mostly, a heading. */
export function Panel({ title, actions, flush, className, children }: PanelProps) {
  const id = useId()
  return (
    <section className={className ? `panel ${className}` : 'panel'} {...(title ? { 'aria-labelledby': id } : {})}>
      {title && (
        <header>
          <Title order={2} id={id}>
            {title}
          </Title>
          {actions && <Group gap="xs">{actions}</Group>}
        </header>
      )}
      <div style={flush ? undefined : { padding: '0.875rem' }}>{children}</div>
    </section>
  )
}
