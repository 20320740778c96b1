using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>Where every node of the cluster is reached, this one included.</summary>
public sealed class NodeAddresses(IReadOnlyDictionary<NodeId, Uri> addresses)
{
    /// <summary>A node's base address without a slash at its end, such as <c>http://127.0.0.1:8081</c>.</summary>
    public string this[NodeId node] => addresses[node].GetLeftPart(UriPartial.Authority);

    public IEnumerable<NodeId> Nodes => addresses.Keys.Order();
}
