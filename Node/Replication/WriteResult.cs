using DistDb.Node.Commands;
using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>What became of a client's write.</summary>
public abstract record WriteResult
{
    /// <summary>It is in the log for ever, and applied here.</summary>
    /// <param name="Index">Its entry.</param>
    /// <param name="Results">One for each statement.</param>
    public sealed record Done(LogIndex Index, IReadOnlyList<StatementResult> Results) : WriteResult;

    /// <summary>It was not done; or, with <see cref="FailureCode.OutcomeUnknown"/> alone, perhaps it was.</summary>
    /// <param name="Failure">What the client is told.</param>
    public sealed record NotDone(Failure Failure) : WriteResult;
}
