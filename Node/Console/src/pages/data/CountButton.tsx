import { Button, Text } from '@mantine/core'
import { notifications } from '@mantine/notifications'
import { useState } from 'react'
import { describe } from '../../api/errors'
import type { RowsAnswer } from '../../api/types'
import { formatInteger } from '../../format'
import { useConnection } from '../../state/cluster'
import type { Place } from './editing'

/** Counts all rows of the table when it is asked to, for that reads the whole of it. */
export function CountButton({ database, table }: Place) {
  const connection = useConnection()
  const [count, setCount] = useState<number | null>(null)
  const [isBusy, setBusy] = useState(false)
  const ask = async () => {
    setBusy(true)
    try {
      const query = `SELECT count(*) FROM "${table.name.replaceAll('"', '""')}"`
      const { rows } = await connection.request<RowsAnswer>('/query', { method: 'POST', body: { command: 'query', database, query } })
      setCount(Number(rows[0]![0]))
    } catch (e) {
      notifications.show({ color: 'red', title: 'The rows were not counted', message: describe(e).detail })
    } finally {
      setBusy(false)
    }
  }
  return count === null ? (
    <Button variant="default" size="compact-xs" loading={isBusy} onClick={() => void ask()}>
      Count all rows
    </Button>
  ) : (
    <Text size="sm" className="tabular">
      {formatInteger(count)} in all
    </Text>
  )
}
