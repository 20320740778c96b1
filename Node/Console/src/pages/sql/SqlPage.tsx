import { EmptyState } from '../../components/EmptyState'
import { Page } from '../../components/Page'
import { Panel } from '../../components/Panel'

export default function SqlPage() {
  return (
    <Page title="SQL">
      <Panel>
        <EmptyState title="This page is being written" />
      </Panel>
    </Page>
  )
}
