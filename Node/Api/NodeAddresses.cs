using DistDb.Node.Raft;

namespace DistDb.Node.Api;

/// <summary>Where every node of the cluster is reached, this one included.</summary>
public sealed class NodeAddresses(IReadOnlyDictionary<NodeId, Uri> addresses)
{
    public Uri this[NodeId node] => addresses[node];

    public IEnumerable<NodeId> Nodes => addresses.Keys.Order();
}
