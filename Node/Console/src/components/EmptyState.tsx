import { Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'

/** What stands where there is nothing to show: that it is so, and what to do about it. */
export function EmptyState({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <Stack align="center" gap={4} py="xl" px="md" ta="center">
      <Text fw={600}>{title}</Text>
      {children && (
        <Text component="div" size="sm" c="dimmed" maw={480}>
          {children}
        </Text>
      )}
    </Stack>
  )
}
