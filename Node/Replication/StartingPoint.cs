using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>
/// Tells what happened while this process runs from what it merely learns of: how far the cluster was when the process first heard from a leader, or
/// led itself. Entries of an earlier term were made before that leader, and those of its own term that it has committed before it spoke. The
/// log that is on disk at the start is no measure, since a node that was away gets the entries of that time later. Belongs to one thread.
/// </summary>
internal sealed class StartingPoint
{
    private (Term Term, LogIndex Index)? _point;

    /// <summary>A leader speaks; the first one's word counts.</summary>
    /// <param name="term">The leader's.</param>
    /// <param name="index">What it knows to be committed, or, where it is this node, has in its log.</param>
    public void Hear(Term term, LogIndex index) => _point ??= (term, index);

    /// <summary>Whether an entry came after it.</summary>
    public bool IsBefore(Term term, LogIndex index) => _point is { } point && index > point.Index && term >= point.Term;

    /// <summary>Whether all that was before it is known where so much is committed, so that whatever comes by a snapshot came after it.</summary>
    public bool IsReached(LogIndex committed) => _point is { } point && committed >= point.Index;
}
