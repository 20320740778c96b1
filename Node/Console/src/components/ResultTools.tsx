import { Button } from '@mantine/core'
import { CopyIcon } from '../icons'
import { copyText } from './clipboard'
import { download } from '../download'
import { toCsv, toJsonRows, toTsv, type Result } from './sqlValues'

/** Copies a result, or saves it as CSV or JSON. */
export function ResultTools({ result, name }: { result: Result; name: string }) {
  const count = `${result.rows.length} ${result.rows.length === 1 ? 'row' : 'rows'}`
  return (
    <Button.Group>
      <Button variant="default" size="compact-xs" leftSection={<CopyIcon size={14} />} onClick={() => void copyText(toTsv(result, true), count)}>
        Copy
      </Button>
      <Button variant="default" size="compact-xs" onClick={() => download(`${name}.csv`, new Blob([toCsv(result)], { type: 'text/csv' }))}>
        CSV
      </Button>
      <Button variant="default" size="compact-xs" onClick={() => download(`${name}.json`, new Blob([toJsonRows(result)], { type: 'application/json' }))}>
        JSON
      </Button>
    </Button.Group>
  )
}
