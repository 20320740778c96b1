using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>
/// What the leader has executed in its open SQLite transaction and proposed for the log, between execution and commit. There is at most
/// one: the next gathers while it waits for its majority.
/// </summary>
internal sealed class OpenBatch(LogIndex index, Term term)
{
    /// <summary>Its place in the log.</summary>
    public LogIndex Index { get; } = index;

    /// <summary>The leader's term.</summary>
    public Term Term { get; } = term;

    /// <summary>Executed and logged.</summary>
    public List<(QueuedWrite Write, WriteOutcome.Succeeded Outcome)> Succeeded { get; } = [];

    /// <summary>When it was proposed, by the stopwatch.</summary>
    public long ProposedAt { get; set; }

    /// <summary>What was proposed; null where it is no clients' writes.</summary>
    public WriteBatch? Content { get; set; }

    /// <summary>
    /// Answered without a place in the log. Their answers wait for the batch as well: they may rest on what it changes, and what a
    /// leader sees before its majority agrees may never come true.
    /// </summary>
    public List<(QueuedWrite Write, WriteOutcome Outcome)> Unlogged { get; } = [];

    public IEnumerable<QueuedWrite> Writes => Succeeded.Select(s => s.Write).Concat(Unlogged.Select(u => u.Write));
}
