import { Button, PasswordInput, Stack, Text } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { Page } from '../../components/Page'
import { Panel } from '../../components/Panel'
import { useSession } from '../../state/session'

/** Asks for a token, where the cluster does. */
export function SignInPage() {
  const session = useSession()
  const [token, setToken] = useState('')
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (token.trim() !== '') {
      session.signIn(token.trim())
    }
  }
  return (
    <Page title="Sign in" description="This cluster asks for a token.">
      <Panel className="narrow">
        <form onSubmit={submit}>
          <Stack gap="sm">
            {session.hasToken && (
              <Text size="sm" c="red" role="alert">
                The cluster does not know this token: it is wrong, has expired, or was revoked.
              </Text>
            )}
            <PasswordInput
              label="Token"
              description="It begins with distdb_ and is kept for this tab only."
              value={token}
              onChange={event => setToken(event.currentTarget.value)}
              autoFocus
              autoComplete="off"
            />
            <Button type="submit" disabled={token.trim() === ''}>
              Sign in
            </Button>
            <Text size="xs" c="dimmed">
              Whoever has an admin token makes more of them on the page Master, or with <code>distdb token create</code>.
            </Text>
          </Stack>
        </form>
      </Panel>
    </Page>
  )
}
