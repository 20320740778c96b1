namespace DistDb.Node.Commands;

/// <summary>What a log entry says. An entry without any data is Raft's own no-op and says nothing.</summary>
public abstract record LogCommand;

/// <summary>The first command of a cluster's life: gives it the identity that keeps its nodes apart from any other cluster's.</summary>
/// <param name="ClusterId">Random, never changes.</param>
public sealed record BootstrapCommand(Guid ClusterId) : LogCommand;

/// <summary>Many clients' writes, executed in this order by every replica, with one time and one seed.</summary>
/// <param name="TimeMs">Milliseconds since 1970 UTC; never decreases from entry to entry. Every <c>'now'</c> in these writes.</param>
/// <param name="Seed">Source of <c>random()</c> and <c>randomblob()</c> in these writes.</param>
/// <param name="Writes">Only writes that succeeded at the leader; at least one.</param>
public sealed record WriteBatch(long TimeMs, ulong Seed, IReadOnlyList<LoggedWrite> Writes) : LogCommand
{
    /// <summary>How the history of writes is kept; null where this batch does not go into it.</summary>
    public HistoryTerms? History { get; init; }

    /// <summary>How much of each database's changes is kept for those who follow them, in bytes; 0 for none. The leader's setting counts for all, so that all keep the same.</summary>
    public long ChangesBytesMax { get; init; }
}

/// <summary>One write of a batch, with what the leader observed.</summary>
public sealed record LoggedWrite(WriteCommand Command, WriteObservation Observation)
{
    /// <summary>What it is; null for an <see cref="Operation"/>, and where the batch does not go into the history.</summary>
    public StatementSummary? Summary { get; init; }
}
