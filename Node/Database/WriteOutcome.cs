using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>What became of a client's write when the leader executed it.</summary>
public abstract record WriteOutcome
{
    /// <summary>Executed within the open transaction: it belongs into the log entry, and lasts once the entry is committed.</summary>
    /// <param name="Results">One for each statement.</param>
    /// <param name="Observation">What every replica must observe as well.</param>
    public sealed record Succeeded(IReadOnlyList<StatementResult> Results, WriteObservation Observation) : WriteOutcome
    {
        /// <summary>What it does; null for an operation.</summary>
        public StatementSummary? Summary { get; init; }
    }

    /// <summary>The same write was applied before under its idempotency key; nothing was done now.</summary>
    /// <param name="Results">What it answered then.</param>
    /// <param name="Index">The log entry that applied it; the open one where the first copy is in the same batch.</param>
    public sealed record Remembered(IReadOnlyList<StatementResult> Results, long Index) : WriteOutcome;

    /// <summary>Not executed, and nothing of it remains. See <see cref="DatabaseWriter.TransactionLost"/> for what may have gone with it.</summary>
    /// <param name="Failure">What its sender is told.</param>
    public sealed record Failed(Failure Failure) : WriteOutcome;
}
