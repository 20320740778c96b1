import { EmptyState } from '../../components/EmptyState'
import { Page } from '../../components/Page'
import { Panel } from '../../components/Panel'

export default function DataPage() {
  return (
    <Page title="Data">
      <Panel>
        <EmptyState title="This page is being written" />
      </Panel>
    </Page>
  )
}
