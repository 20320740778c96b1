import { Stack, Text, TextInput } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import { originOf } from '../../api/connection'
import type { MembersAnswer } from '../../api/types'
import { ConfirmDialog } from '../../components/ConfirmDialog'
import { useConnection } from '../../state/cluster'

interface MoveDialogProps {
  /** The member whose address is to change. */
  id: number
  members: readonly { readonly id: number; readonly address: string }[]
  onClose: () => void
}

/** Records that a node is reached at another address. */
export function MoveDialog({ id, members, onClose }: MoveDialogProps) {
  const connection = useConnection()
  const recorded = originOf(members.find(m => m.id === id)?.address ?? '')
  const [text, setText] = useState(recorded)
  const address = readAddress(text)
  const owner = members.find(m => m.id !== id && originOf(m.address) === address)
  const problem =
    address === null ? 'This is not the address of a node; one looks like http://127.0.0.1:8080.' : owner ? `This is the address of node ${owner.id}.` : null
  const move = async () => {
    const { members: after } = await connection.request<MembersAnswer>('/cluster/members', { method: 'POST', body: { id, address } })
    notifications.show({ message: `Node ${id} is on record at ${after.find(m => m.id === id)?.address ?? 'no address'} now.` })
  }
  return (
    <ConfirmDialog title={`Change the address of node ${id}`} action="Change address" isComplete={problem === null && address !== recorded} onConfirm={move} onClose={onClose}>
      <Stack gap="sm">
        <Text size="sm">
          All nodes reach node {id} at the new address from then on; it must run there, with its own data folder. If it does not, the others do without it until it does, or until the address is changed back.
        </Text>
        <TextInput
          label="Address"
          value={text}
          onChange={event => setText(event.currentTarget.value)}
          error={problem}
          data-autofocus
          autoComplete="off"
          spellCheck={false}
          inputMode="url"
        />
      </Stack>
    </ConfirmDialog>
  )
}

/** What is recorded of an address: scheme, host and port. Null where it is none. */
function readAddress(text: string): string | null {
  const url = URL.parse(text.trim())
  return url !== null && (url.protocol === 'http:' || url.protocol === 'https:') ? url.origin : null
}
