import { ActionIcon, Group, Select, useComputedColorScheme, useMantineColorScheme } from '@mantine/core'
import { MoonIcon, SignOutIcon, SunIcon } from '../icons'
import { useConnection, useConnectionState, useNodes } from '../state/cluster'
import { useSession } from '../state/session'

/** Which node the page speaks with; light or dark; out. */
export function HeaderTools() {
  const session = useSession()
  const { setColorScheme } = useMantineColorScheme()
  const isDark = useComputedColorScheme('light') === 'dark'
  return (
    <Group gap={6} wrap="nowrap">
      <NodeSelect />
      <ActionIcon variant="default" size={30} onClick={() => setColorScheme(isDark ? 'light' : 'dark')} aria-label={isDark ? 'Light colours' : 'Dark colours'}>
        {isDark ? <SunIcon size={16} /> : <MoonIcon size={16} />}
      </ActionIcon>
      {session.hasToken && (
        <ActionIcon variant="default" size={30} onClick={session.signOut} aria-label="Sign out">
          <SignOutIcon size={16} />
        </ActionIcon>
      )}
    </Group>
  )
}

function NodeSelect() {
  const connection = useConnection()
  const node = useConnectionState('node')
  const nodes = useNodes()
  if (node === null) {
    return null
  }

  return (
    <Select
      aria-label="The node that this page speaks with"
      w={112}
      value={String(node)}
      data={nodes.map(n => ({ value: String(n.id), label: `Node ${n.id}`, disabled: !n.reachable }))}
      onChange={value => {
        const chosen = nodes.find(n => String(n.id) === value)
        if (chosen) {
          connection.moveTo(chosen.origin)
        }
      }}
    />
  )
}
