import { Alert } from '@mantine/core'
import { AlertIcon, InfoIcon } from '../icons'
import { useConnection, useConnectionState } from '../state/cluster'

/** Says that the page has moved to another node, or that it finds none. */
export function ConnectionNotice() {
  const connection = useConnection()
  const phase = useConnectionState('phase')
  const moved = useConnectionState('moved')
  if (phase === 'lost') {
    return (
      <Alert color="red" role="alert" mb="md" icon={<AlertIcon />} title="No node answers">
        The page tries all of them again every second, and goes on by itself as soon as one is back. What you see below is what was last heard.
      </Alert>
    )
  }

  return (
    moved && (
      <Alert
        color="blue"
        role="status"
        mb="md"
        icon={<InfoIcon />}
        title={`This page now uses node ${moved.to}`}
        withCloseButton
        closeButtonLabel="Dismiss"
        onClose={() => connection.forgetMove()}
      >
        Node {moved.from}, which it used before, does not answer any more. Nothing else has changed, and you can go on here.
      </Alert>
    )
  )
}
