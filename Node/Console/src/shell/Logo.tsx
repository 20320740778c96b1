import { Group, Text } from '@mantine/core'
import logo from '../favicon.svg'

export function Logo() {
  return (
    <Group gap={8} wrap="nowrap">
      <img src={logo} width={22} height={22} alt="" />
      <Text fw={700} size="md" component="span">
        DistDb
      </Text>
    </Group>
  )
}
