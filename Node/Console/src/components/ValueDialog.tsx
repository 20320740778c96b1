import { Group, Modal, Stack, Text } from '@mantine/core'
import type { SqlValue } from '../api/types'
import { formatBytes, formatInteger } from '../format'
import { CodeBlock } from './CodeBlock'
import { CopyButton } from './CopyButton'
import { bytesIn, isBlob, textOf, type ResultColumn } from './sqlValues'

/** A value in full; JSON with indents. */
export function ValueDialog({ column, value, onClose }: { column: ResultColumn; value: SqlValue; onClose: () => void }) {
  const text = textOf(value, column.type)
  const pretty = prettyJsonOf(value) ?? text
  return (
    <Modal opened onClose={onClose} size="lg" title={<span className="mono">{column.name}</span>} closeButtonProps={{ 'aria-label': 'Close' }}>
      <Stack gap="sm">
        <Group justify="space-between">
          <Text size="sm" c="dimmed">
            {describe(value)}
          </Text>
          {value !== null && <CopyButton text={text} />}
        </Group>
        {value !== null && <CodeBlock text={pretty} label="The value" maxHeight={420} />}
      </Stack>
    </Modal>
  )
}

function describe(value: SqlValue): string {
  if (value === null) {
    return 'NULL: there is no value.'
  }

  return isBlob(value)
    ? `Blob, ${formatBytes(bytesIn(value.base64))}`
    : typeof value === 'string'
      ? `Text, ${formatInteger(value.length)} ${value.length === 1 ? 'character' : 'characters'}`
      : 'Number'
}

/** Null where a value is no JSON object or array, or where reading it as such would change its numbers. */
function prettyJsonOf(value: SqlValue): string | null {
  if (typeof value !== 'string' || !/^\s*[[{]/.test(value) || /\d{16}/.test(value)) {
    return null
  }

  try {
    return JSON.stringify(JSON.parse(value), null, 2)
  } catch {
    return null
  }
}
