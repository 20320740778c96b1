namespace DistDb.Node.Raft;

/// <summary>
/// What the owner must do now, in this order:
/// <list type="number">
/// <item>send <see cref="EarlyMessages"/>, which depend on nothing unwritten: a leader's entries travel while its own disk writes them (thesis §10.2.1);</item>
/// <item>write <see cref="HardState"/> and <see cref="Entries"/> and wait until they are on disk; if that fails, stop for good;</item>
/// <item>send <see cref="Messages"/>, which promise what was just written;</item>
/// <item>call <see cref="RaftNode.Advance"/>;</item>
/// <item>apply the log up to <see cref="CommitIndex"/>, whenever convenient, and serve <see cref="Reads"/> whose index is applied.</item>
/// </list>
/// </summary>
public sealed record Ready
{
    /// <summary>To be written, or null where it has not changed.</summary>
    public required HardState? HardState { get; init; }

    /// <summary>To be written; whatever the disk holds at or behind the first one's index is replaced.</summary>
    public required IReadOnlyList<Entry> Entries { get; init; }

    public required IReadOnlyList<Message> EarlyMessages { get; init; }

    public required IReadOnlyList<Message> Messages { get; init; }

    /// <summary>Everything up to here is committed for ever.</summary>
    public required LogIndex CommitIndex { get; init; }

    /// <summary>Reads that were confirmed: each may be answered once its index is applied.</summary>
    public required IReadOnlyList<ReadState> Reads { get; init; }

    /// <summary>
    /// The leader no longer has the entries that this node needs next: fetch a snapshot that reaches at least this index, then call
    /// <see cref="RaftNode.SnapshotInstalled"/>. Repeated until then; null when entries will do.
    /// </summary>
    public required LogIndex? SnapshotWanted { get; init; }

    /// <summary>True when there is something to wait for the disk for.</summary>
    public bool MustSync => HardState is not null || Entries.Count > 0;
}

/// <summary>A confirmed read.</summary>
/// <param name="Context">The number given to <see cref="RaftNode.RequestRead"/>.</param>
/// <param name="Index">The index to have applied before reading.</param>
public readonly record struct ReadState(long Context, LogIndex Index);
