import { Button, Group, Modal, Stack, TextInput } from '@mantine/core'
import { useState, type FormEvent, type ReactNode } from 'react'
import { useAction } from '../state/action'
import { ErrorAlert } from './ErrorAlert'

interface ConfirmDialogProps {
  title: string
  /** What will happen. */
  children: ReactNode
  /** What the button that does it says. */
  action: string
  isDangerous?: boolean
  /** What must be typed before it can be done, such as the name of what is to go. */
  phrase?: string
  /** Whether what is asked for beside it is complete; it is where nothing is. */
  isComplete?: boolean
  /** Does it. Where it fails, the dialog stays and says why. */
  onConfirm: () => Promise<unknown>
  onClose: () => void
}

/** Asks before something is done that cannot be taken back. Show it for as long as it is asked. */
export function ConfirmDialog({ title, children, action, isDangerous, phrase, isComplete = true, onConfirm, onClose }: ConfirmDialogProps) {
  const [typed, setTyped] = useState('')
  const { isBusy, error, run } = useAction()
  const isReady = isComplete && (phrase === undefined || typed === phrase)
  const confirm = async (event: FormEvent) => {
    event.preventDefault()
    if (!isReady || isBusy) {
      return
    }

    await run(async () => {
      await onConfirm()
      onClose()
    })
  }
  return (
    <Modal opened onClose={onClose} title={title} closeButtonProps={{ 'aria-label': 'Close' }}>
      <form onSubmit={event => void confirm(event)}>
        <Stack gap="sm">
          <div>{children}</div>
          {phrase !== undefined && (
            <TextInput
              label={
                <>
                  Type <b>{phrase}</b> to confirm
                </>
              }
              value={typed}
              onChange={event => setTyped(event.currentTarget.value)}
              data-autofocus
              autoComplete="off"
              spellCheck={false}
            />
          )}
          <ErrorAlert error={error} />
          <Group justify="flex-end" gap="xs">
            <Button variant="default" onClick={onClose}>
              Cancel
            </Button>
            <Button type="submit" {...(isDangerous && { color: 'red' })} disabled={!isReady} loading={isBusy}>
              {action}
            </Button>
          </Group>
        </Stack>
      </form>
    </Modal>
  )
}
