namespace DistDb.Node.Raft;

/// <summary>
/// The entries on disk, as the core reads them. The owner writes them (what <see cref="Ready"/> hands out) before it calls
/// <see cref="RaftNode.Advance"/>; the core never writes.
/// </summary>
public interface ILogStore
{
    /// <summary>The last position on disk, or zero.</summary>
    LogIndex LastIndex { get; }

    /// <summary>The term at a position between zero (term zero) and <see cref="LastIndex"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such entry.</exception>
    Term TermAt(LogIndex index);

    /// <summary>The entries of [<paramref name="from"/>, <paramref name="to"/>] (inclusive) until their data exceeds <paramref name="bytesMax"/>; at least one.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not within the log.</exception>
    IReadOnlyList<Entry> Read(LogIndex from, LogIndex to, int bytesMax);
}
