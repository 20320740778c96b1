using DistDb.Node.Raft;

namespace DistDb.Tests.Simulation;

/// <summary>What a simulated node takes from its inbox.</summary>
internal abstract record Input
{
    public sealed record TimePassed : Input
    {
        public static TimePassed Instance { get; } = new();
    }

    /// <summary>From a peer's core.</summary>
    public sealed record Peer(Message Message) : Input;

    /// <summary>A client's write, from the client or forwarded once by the node that it asked.</summary>
    public sealed record Write(long Command, bool IsForwarded) : Input;

    public sealed record Read(long Context) : Input;

    public sealed record Transfer(NodeId Target) : Input;

    public sealed record Change(MembershipWish Wish) : Input;

    /// <summary>A peer needs a snapshot that reaches an index.</summary>
    public sealed record SnapshotRequest(NodeId From, LogIndex MinIndex) : Input;

    public sealed record SnapshotOffer(Snapshot Snapshot) : Input;
}
