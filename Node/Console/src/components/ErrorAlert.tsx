import { Alert, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { describe } from '../api/errors'
import { AlertIcon } from '../icons'

interface ErrorAlertProps {
  error: unknown
  /** What it is that failed, where that does not go without saying. */
  what?: string
  action?: ReactNode
}

/** Tells a person about an error of whatever kind; nothing where there is none. */
export function ErrorAlert({ error, what, action }: ErrorAlertProps) {
  if (error === null || error === undefined) {
    return null
  }

  const { title, detail, code } = describe(error)
  return (
    <Alert color="red" role="alert" title={what ? `${what}: ${title}` : title} icon={<AlertIcon />}>
      <Text size="sm">{detail}</Text>
      {code && (
        <Text size="xs" c="dimmed" mt={4} className="mono">
          {code}
        </Text>
      )}
      {action && <div style={{ marginTop: '0.5rem' }}>{action}</div>}
    </Alert>
  )
}
