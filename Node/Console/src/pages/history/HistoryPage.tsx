import { EmptyState } from '../../components/EmptyState'
import { Page } from '../../components/Page'
import { Panel } from '../../components/Panel'

export default function HistoryPage() {
  return (
    <Page title="Query log">
      <Panel>
        <EmptyState title="This page is being written" />
      </Panel>
    </Page>
  )
}
