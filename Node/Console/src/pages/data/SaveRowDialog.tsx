import { Table as MantineTable } from '@mantine/core'
import type { Table } from '../../api/types'
import { ConfirmDialog } from '../../components/ConfirmDialog'
import { CellValue } from '../../components/grid/GridCell'
import type { Result } from '../../components/sqlValues'
import type { Draft } from './editing'

interface SaveRowDialogProps {
  table: Table
  result: Result
  draft: Draft
  onSave: () => Promise<unknown>
  onClose: () => void
}

/** Shows what is changed in a row, and asks whether to store it. */
export function SaveRowDialog({ table, result, draft, onSave, onClose }: SaveRowDialogProps) {
  return (
    <ConfirmDialog title={`Change the row of ${table.name}?`} action="Save" onConfirm={onSave} onClose={onClose}>
      <MantineTable layout="fixed" className="data-changes">
        <MantineTable.Thead>
          <MantineTable.Tr>
            <MantineTable.Th>Column</MantineTable.Th>
            <MantineTable.Th>Before</MantineTable.Th>
            <MantineTable.Th>After</MantineTable.Th>
          </MantineTable.Tr>
        </MantineTable.Thead>
        <MantineTable.Tbody>
          {[...draft.values].map(([column, value]) => {
            const { name, type } = table.columns[column]!
            return (
              <MantineTable.Tr key={column}>
                <MantineTable.Td>{name}</MantineTable.Td>
                <MantineTable.Td className="mono">
                  <CellValue value={result.rows[draft.row]![column]!} type={type} />
                </MantineTable.Td>
                <MantineTable.Td className="mono">
                  <CellValue value={value} type={type} />
                </MantineTable.Td>
              </MantineTable.Tr>
            )
          })}
        </MantineTable.Tbody>
      </MantineTable>
    </ConfirmDialog>
  )
}
