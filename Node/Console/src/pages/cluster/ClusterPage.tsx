import { Skeleton } from '@mantine/core'
import { Page } from '../../components/Page'
import { Panel } from '../../components/Panel'
import { useCluster } from '../../state/cluster'
import { ClusterCharts } from './ClusterCharts'
import { ClusterTiles } from './ClusterTiles'
import { NodeTable } from './NodeTable'
import { ReplicationPicture } from './ReplicationPicture'

/** How every node is, live. */
export function ClusterPage() {
  const cluster = useCluster()
  return (
    <Page title="Cluster" description={cluster ? `As node ${cluster.node} sees it, twice a second.` : 'Asking the node …'}>
      {cluster ? (
        <>
          <ClusterTiles cluster={cluster} />
          <Panel title="Nodes" flush>
            <NodeTable cluster={cluster} />
          </Panel>
          <div className="charts">
            <Panel title="Replication" className="tall">
              <ReplicationPicture cluster={cluster} />
            </Panel>
            <ClusterCharts cluster={cluster} />
          </div>
        </>
      ) : (
        <Skeleton height={420} aria-label="Loading" />
      )}
    </Page>
  )
}
