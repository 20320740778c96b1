using DistDb.Node.Commands;
using DistDb.Node.Replication;

namespace DistDb.Master;

/// <summary>
/// Schema changes are the master's. Which statement is one, SQLite itself says when it prepares it; whether its origin is the master, the leader
/// judges by the replicated state as it executes the write, so that no node's outdated view counts. This is the gate's face towards
/// clients: it saves a hopeless trip, and tells where the master is.
/// </summary>
public sealed class SchemaGate(ClusterNode node)
{
    /// <summary>Whether clients of this node may change the schema, as far as it knows.</summary>
    public bool IsOpen => node.Master == node.Id;

    /// <summary>The master's base address.</summary>
    public string MasterAddress => node.AddressOf(node.Master);

    /// <summary>What a client is told whose statement belongs to the master.</summary>
    public Failure Refusal() => new(
        FailureCode.NotMaster,
        $"Only the master may change the schema: node {node.Master} at {MasterAddress}. Nothing was done; send the statement there.");
}
