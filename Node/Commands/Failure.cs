namespace DistDb.Node.Commands;

/// <summary>Why a request was not done. Each has one stable name on the wire and one HTTP status (see the Api folder).</summary>
public enum FailureCode : byte
{
    /// <summary>The request itself makes no sense; nothing was done.</summary>
    BadRequest = 1,

    /// <summary>SQLite refused the statement; nothing was changed.</summary>
    SqlError = 2,

    /// <summary>A constraint of the schema was violated; nothing was changed.</summary>
    Constraint = 3,

    /// <summary>The statement is of a kind that is not allowed here, or the client's token does not allow it.</summary>
    Forbidden = 4,

    /// <summary>A schema change was sent to a node that is not the master.</summary>
    NotMaster = 5,

    /// <summary>The database does not exist.</summary>
    NoSuchDatabase = 6,

    /// <summary>A request, a value or a result exceeds its limit.</summary>
    TooLarge = 7,

    /// <summary>The time limit was reached and nothing was changed.</summary>
    Timeout = 8,

    /// <summary>Too much is waiting already; nothing was done.</summary>
    Overloaded = 9,

    /// <summary>No majority of nodes can be reached; nothing was done.</summary>
    NoQuorum = 10,

    /// <summary>The write may or may not have been done.</summary>
    OutcomeUnknown = 11,

    /// <summary>The idempotency key was used before, for another write.</summary>
    IdReused = 12,

    /// <summary>A client claimed what only an authenticated peer may say: that a write comes from the master or from the log.</summary>
    PrivilegedFlag = 13,

    /// <summary>The cluster is not in a state in which this can be done; nothing was changed.</summary>
    Conflict = 14,

    /// <summary>No member of the cluster has that id.</summary>
    NoSuchNode = 15,

    /// <summary>This node's copy of the content is not to be trusted and is being replaced; nothing was done here.</summary>
    Repairing = 16,

    /// <summary>This node is not a member that the cluster knows, not yet or not any more; nothing was done.</summary>
    NotReady = 17,

    /// <summary>The client did not show a token that is good; nothing was done.</summary>
    Unauthorized = 18,

    /// <summary>No token has that name.</summary>
    NoSuchToken = 19,

    /// <summary>The interactive transaction is over without having been committed: the leader that held it is gone, or what it worked on. Nothing of it was done.</summary>
    TransactionLost = 20,

    /// <summary>The interactive transaction was rolled back, as it waited or lasted longer than it may. Nothing of it was done.</summary>
    TransactionTimeout = 21,

    /// <summary>A transaction that began with reading cannot write any more, as others have written since; nothing of it was done.</summary>
    Busy = 22,

    /// <summary>There is no such transaction, or it has ended.</summary>
    NoSuchTransaction = 23,

    /// <summary>Changes that the client has yet to see are not kept any more.</summary>
    ChangesGone = 24,
}

/// <summary>A request that was not done, and what its sender is told.</summary>
/// <param name="Code">The kind of failure.</param>
/// <param name="Detail">A sentence or two for the user: what happened, and what to do.</param>
/// <param name="SqliteCode">SQLite's extended result code, where SQLite is the reason.</param>
/// <param name="StatementIndex">Position of the failing statement within a transaction, from 0; null for a single statement.</param>
public sealed record Failure(FailureCode Code, string Detail, int? SqliteCode = null, int? StatementIndex = null)
{
    /// <summary>
    /// Of a write that was undone because its node had no memory set apart for its result: how many bytes that has. The node sets them apart and sends
    /// the write again; no client is told this.
    /// </summary>
    public long? ResultBytes { get; init; }
}
