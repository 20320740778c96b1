import { Alert, Group, Text } from '@mantine/core'
import { CodeBlock } from '../components/CodeBlock'
import { CopyButton } from '../components/CopyButton'
import { KeyIcon } from '../icons'
import { useSession } from '../state/session'

/** Shows a token that was just made, whatever page comes next. */
export function NewTokenNotice() {
  const { newToken, showNewToken } = useSession()
  return (
    newToken && (
      <Alert color="green" mb="md" icon={<KeyIcon />} title={`The token ${newToken.name} is made`} withCloseButton closeButtonLabel="Dismiss" onClose={() => showNewToken(null)}>
        <Text size="sm">Keep it now: nobody can show it again.</Text>
        <Group gap="xs">
          <CodeBlock text={newToken.token} label="The new token" />
          <CopyButton text={newToken.token} />
        </Group>
      </Alert>
    )
  )
}
