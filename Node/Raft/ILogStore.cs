namespace DistDb.Node.Raft;

/// <summary>
/// The entries on disk, as the core reads them. The owner writes them (what <see cref="Ready"/> hands out) before it calls
/// <see cref="RaftNode.Advance"/>; the core never writes.
/// </summary>
public interface ILogStore
{
    /// <summary>
    /// The position before the first entry on disk: zero for a whole log, else the last entry that was cut off because a snapshot holds
    /// its effects.
    /// </summary>
    LogIndex BaseIndex { get; }

    /// <summary>The newest configuration at or before <see cref="BaseIndex"/>; null where no entry there held one.</summary>
    Membership? BaseMembership { get; }

    /// <summary>The last position on disk; <see cref="BaseIndex"/> where there is no entry.</summary>
    LogIndex LastIndex { get; }

    /// <summary>The term at a position between <see cref="BaseIndex"/> (whose term is remembered; zero at zero) and <see cref="LastIndex"/>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such entry.</exception>
    Term TermAt(LogIndex index);

    /// <summary>The entries of [<paramref name="from"/>, <paramref name="to"/>] (inclusive) until their data exceeds <paramref name="bytesMax"/>; at least one.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not within the log.</exception>
    IReadOnlyList<Entry> Read(LogIndex from, LogIndex to, int bytesMax);

    /// <summary>The configuration entries behind <see cref="BaseIndex"/>, in order. Asked for once, when the core starts, and after a snapshot.</summary>
    IReadOnlyList<Entry> ReadConfigurations();
}
