import { Alert, Anchor, Tabs, Text } from '@mantine/core'
import { Page } from '../../components/Page'
import { InfoIcon } from '../../icons'
import { useConnection, useConnectionState, useNodes } from '../../state/cluster'
import { navigate, useRoute } from '../../state/route'
import { useSession } from '../../state/session'
import { DatabasesTab } from './DatabasesTab'
import { NodesTab } from './NodesTab'
import { TableDesigner } from './TableDesigner'
import { TokensTab } from './TokensTab'
import { VerificationTab } from './VerificationTab'

/** What the master alone does, and what an operator does for the whole cluster. */
export default function MasterPage() {
  const session = useSession()
  const node = useConnectionState('node')
  const master = useNodes().find(n => n.role === 'master')
  const [, part] = useRoute()
  const isHere = master !== undefined && master.id === node
  const tabs = [
    { path: 'databases', title: 'Databases', isShown: true, Tab: DatabasesTab },
    { path: 'table', title: 'New table', isShown: isHere && session.can('schema'), Tab: TableDesigner },
    { path: 'nodes', title: 'Nodes', isShown: true, Tab: NodesTab },
    { path: 'verification', title: 'Verification', isShown: true, Tab: VerificationTab },
    { path: 'tokens', title: 'Tokens', isShown: session.can('admin'), Tab: TokensTab },
  ].filter(t => t.isShown)
  const shown = tabs.find(t => t.path === part) ?? tabs[0]!
  return (
    <Page title="Master" description={master && `Node ${master.id} at ${master.origin} is the master: the one that changes the schema.`}>
      {master && !isHere && <ElsewhereNotice master={master} node={node} />}
      <Tabs value={shown.path} onChange={value => value !== null && navigate('master', value)} keepMounted={false}>
        <Tabs.List mb="md" className="tab-list">
          {tabs.map(t => (
            <Tabs.Tab key={t.path} value={t.path}>
              {t.title}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {tabs.map(({ path, Tab }) => (
          <Tabs.Panel key={path} value={path}>
            <Tab />
          </Tabs.Panel>
        ))}
      </Tabs>
    </Page>
  )
}

interface ElsewhereNoticeProps {
  master: { id: number; origin: string; reachable: boolean }
  node: number | null
}

/** Says where databases and tables are created, where this page does not speak with the master. */
function ElsewhereNotice({ master, node }: ElsewhereNoticeProps) {
  const connection = useConnection()
  return (
    <Alert color="blue" role="status" icon={<InfoIcon />} title={`Databases and tables are made and dropped at node ${master.id}`}>
      <Text size="sm">
        This page speaks with node {node}, which is not the master.{' '}
        {master.reachable ? (
          <>
            <Anchor component="button" size="sm" underline="always" onClick={() => connection.moveTo(master.origin)}>
              Speak with node {master.id}
            </Anchor>
            , or open{' '}
            <Anchor href={`${master.origin}/#/master`} size="sm" underline="always">
              its own console
            </Anchor>
            .
          </>
        ) : (
          `The master does not answer. Start it again, or promote another node in the tab Nodes: until then rows can be read and written, and the schema stays as it is.`
        )}
      </Text>
    </Alert>
  )
}
