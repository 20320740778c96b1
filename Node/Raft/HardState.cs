namespace DistDb.Node.Raft;

/// <summary>What must be on disk before a node answers anything that depends on it (Raft Figure 2, "persistent state").</summary>
/// <param name="Term">The latest term this node has seen.</param>
/// <param name="VotedFor">Who got this node's vote in that term, or null.</param>
public readonly record struct HardState(Term Term, NodeId? VotedFor);
