using DistDb.Node.Raft;

namespace DistDb.Tests.Simulation;

/// <summary>What an operator wants of the cluster.</summary>
internal sealed record MembershipWish(MembershipWish.Kind What, NodeId Node)
{
    public enum Kind
    {
        Add,
        Remove,
        Demote,
    }
}
