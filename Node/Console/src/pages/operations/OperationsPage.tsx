import { Alert, Anchor, Badge, Button, Group, Select, Stack, Text, Tooltip } from '@mantine/core'
import { useState, type FormEvent } from 'react'
import { toJson } from '../../api/json'
import { CodeBlock } from '../../components/CodeBlock'
import { ConfirmDialog } from '../../components/ConfirmDialog'
import { CopyButton } from '../../components/CopyButton'
import { EmptyState } from '../../components/EmptyState'
import { ErrorAlert } from '../../components/ErrorAlert'
import { Page } from '../../components/Page'
import { Panel } from '../../components/Panel'
import { InfoIcon } from '../../icons'
import { useAction } from '../../state/action'
import { useConnection, useConnectionState, useNodes } from '../../state/cluster'
import { useDatabases } from '../../state/request'
import { useSession } from '../../state/session'
import { OperationField } from './OperationField'
import { curlOf, operations, requestOf, type Values } from './operations'

/** The form of the original desktop GUI: a node, an operation, its fields, the JSON that will be sent, the answer. */
export default function OperationsPage() {
  const connection = useConnection()
  const session = useSession()
  const nodes = useNodes()
  const current = useConnectionState('node')
  const { data, reload } = useDatabases()
  const [chosenNode, setChosenNode] = useState<number | null>(null)
  const [chosen, setChosen] = useState('SEARCH')
  const [values, setValues] = useState<Values>({})
  const [isAsking, setAsking] = useState(false)
  const { isBusy, error, run } = useAction()
  const [answer, setAnswer] = useState<unknown>(null)

  const allowed = operations.filter(o => session.can(o.role))
  const operation = allowed.find(o => o.command === chosen) ?? allowed.at(0)
  const node = nodes.find(n => n.id === (chosenNode ?? current))
  if (!operation || !node) {
    return (
      <Page title="Operations">
        <Panel>
          <EmptyState title="Asking the node what you may do …" />
        </Panel>
      </Page>
    )
  }

  const { request, problems } = requestOf(operation, values)
  const master = nodes.find(n => n.role === 'master')
  const isAtWrongNode = operation.isMasters && master !== undefined && master.id !== node.id
  const target = String((operation.fields.some(f => f.key === 'table') ? request.table : request.database) ?? '')
  const send = async () => {
    setAnswer(null)
    await run(async () => {
      setAnswer(await connection.request('/query', { method: 'POST', body: request, base: node.origin }))
      if (operation.isMasters) {
        reload()
      }
    })
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (operation.isDrop) {
      setAsking(true)
    } else {
      void send()
    }
  }
  return (
    <Page title="Operations" description="Commands without SQL, sent to the node that you choose.">
      <div className="form-columns">
        <Panel title="Operation">
          <form onSubmit={submit}>
            <Stack gap="sm">
              <Group grow align="flex-start" gap="sm">
                <Tooltip label="The node that gets the request. Any node takes reads and row writes; what changes the schema goes to the master." position="top-start" openDelay={250}>
                  <Select
                    label="Node"
                    value={String(node.id)}
                    data={nodes.map(n => ({ value: String(n.id), label: `Node ${n.id}${n.role === 'master' ? ', master' : ''}${n.reachable ? '' : ' (down)'}` }))}
                    onChange={value => setChosenNode(Number(value))}
                  />
                </Tooltip>
                <Tooltip label="What is to be done. The fields below change with it." position="top-start" openDelay={250}>
                  <Select label="Operation" value={operation.command} data={allowed.map(o => o.command)} onChange={value => setChosen(value ?? operation.command)} classNames={{ input: 'mono' }} maxDropdownHeight={320} />
                </Tooltip>
              </Group>
              <Text size="sm" c="dimmed">
                {operation.summary}
              </Text>
              {isAtWrongNode && (
                <Alert color="yellow" icon={<InfoIcon />}>
                  <Text size="sm">
                    Only the master does this, and node {node.id} is not the master.{' '}
                    <Anchor component="button" type="button" size="sm" underline="always" onClick={() => setChosenNode(master.id)}>
                      Send it to node {master.id}
                    </Anchor>
                  </Text>
                </Alert>
              )}
              <div className="fields">
                {operation.fields.map(field => (
                  <OperationField
                    key={`${operation.command} ${field.key}`}
                    field={field}
                    values={values}
                    problem={problems[field.key]}
                    databases={data?.databases ?? []}
                    onChange={value => setValues(before => ({ ...before, [field.key]: value }))}
                  />
                ))}
              </div>
              <Group justify="flex-end">
                <Button type="submit" loading={isBusy} disabled={Object.keys(problems).length > 0} {...(operation.isDrop && { color: 'red' })}>
                  Send
                </Button>
              </Group>
            </Stack>
          </form>
        </Panel>
        <Panel title="What will be sent" flush actions={<CopyButton text={curlOf(node.origin, request, session.hasToken)} label="Copy as curl" />}>
          <CodeBlock text={`POST ${node.origin}/query\n\n${JSON.stringify(request, null, 2)}`} label="The request" />
        </Panel>
      </div>
      <Panel title="Answer" flush actions={answer !== null && <Badge color="green" variant="light">done</Badge>}>
        <div aria-live="polite" className="answer">
          {error !== null ? (
            <div className="inset">
              <ErrorAlert error={error} />
            </div>
          ) : answer !== null ? (
            <CodeBlock text={toJson(answer, 2)} label="The answer" maxHeight={420} />
          ) : (
            <EmptyState title="No answer yet">Fill in the form and send it.</EmptyState>
          )}
        </div>
      </Panel>
      {isAsking && (
        <ConfirmDialog title={`${operation.command} ${target}`} action="Drop" isDangerous phrase={target} onConfirm={send} onClose={() => setAsking(false)}>
          <Text size="sm">{operation.summary} It cannot be taken back.</Text>
        </ConfirmDialog>
      )}
    </Page>
  )
}
