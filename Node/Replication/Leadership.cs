using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>Who leads, as this node knows it; an immutable picture that the Raft loop replaces whenever it changes.</summary>
/// <param name="Term">This node's term.</param>
/// <param name="Leader">The leader of that term, or null while none is known.</param>
/// <param name="Role">What this node is.</param>
/// <param name="TermStart">For a leader, the index of its no-op: it may execute writes once that is applied. Zero for others.</param>
/// <param name="IsHandingOver">A leader that refuses proposals because it is about to be followed by another.</param>
internal sealed record Leadership(Term Term, NodeId? Leader, Role Role, LogIndex TermStart, bool IsHandingOver)
{
    public bool IsLeader => Role == Role.Leader;

    /// <summary>Whether this node leads, and in this term.</summary>
    public bool Leads(Term term) => IsLeader && Term == term;
}
