using DistDb.Node.Raft;

namespace DistDb.Node.Transport;

/// <summary>A wish to change who belongs to the cluster. The leader grants it through the log, or says why not.</summary>
/// <param name="Node">Whom it is about.</param>
public abstract record MembershipChange(NodeId Node);

/// <summary>Takes a node in, or takes it back with a new log: as a learner first.</summary>
/// <param name="LogId">The identity of its log.</param>
/// <param name="Address">Where it is reached.</param>
public sealed record JoinChange(NodeId Node, ulong LogId, string Address) : MembershipChange(Node);

/// <summary>Removes a node for good.</summary>
public sealed record RemoveChange(NodeId Node) : MembershipChange(Node);

/// <summary>Records that a node is reached elsewhere.</summary>
/// <param name="Address">Where.</param>
public sealed record AddressChange(NodeId Node, string Address) : MembershipChange(Node);
