namespace DistDb.Node.Commands;

/// <summary>
/// The identity of one write, made once by the node that a client sent it to. While the write is under way it lets the leader
/// drop a copy sent twice, and lets the origin recognise its write in the log.
/// </summary>
/// <param name="Node">The origin's node id.</param>
/// <param name="Incarnation">A random number that the origin drew when its process started, so that numbers are never used twice.</param>
/// <param name="Sequence">Counts the origin's writes from 1.</param>
public readonly record struct WriteId(int Node, ulong Incarnation, long Sequence);

/// <summary>What one client asked to be written: a single statement or a transaction of several, all or nothing.</summary>
public sealed record WriteCommand
{
    /// <summary>Who carries this write and its number there.</summary>
    public WriteId Id { get; init; }

    /// <summary>The database it goes to.</summary>
    public string Database { get; init; } = "main";

    /// <summary>The client's own idempotency key, or null. At most <see cref="IdempotencyKeyLengthMax"/> characters.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>At least one, and exactly one where <see cref="IsTransaction"/> is false; none where there is an <see cref="Operation"/>.</summary>
    public IReadOnlyList<Statement> Statements { get; init; } = [];

    /// <summary>True for a client's <c>transaction</c>: several results, and reading statements are welcome in it.</summary>
    public bool IsTransaction { get; init; }

    /// <summary>Where it is an interactive transaction: what its statements ran under when its client was answered. Null for any other write.</summary>
    public InteractiveTerms? Interactive { get; init; }

    /// <summary>Whether foreign keys are not enforced while it runs, as <c>PRAGMA foreign_keys = off</c> has it for a client's session.</summary>
    public bool WithoutForeignKeys { get; init; }

    /// <summary>What it does in place of statements, or null.</summary>
    public Operation? Operation { get; init; }

    /// <summary>Who sent it: an IP address. Null for what a node does by itself.</summary>
    public string? Client { get; init; }

    /// <summary>The name of the token that it was sent with, or null.</summary>
    public string? Token { get; init; }

    /// <summary>What its client may do. The leader holds the statements against it; who applies the entry does not ask again.</summary>
    public TokenRole Role { get; init; } = TokenRole.Admin;

    /// <summary>Longest idempotency key, in characters: room for any UUID or hash with a prefix, too small to store data in.</summary>
    public const int IdempotencyKeyLengthMax = 255;
}

/// <summary>What the leader saw when it executed a write. A replica that sees anything else has diverged.</summary>
/// <param name="RowsAffected">Rows inserted, updated or deleted by the write's statements, triggers not counted.</param>
/// <param name="LastInsertId">The last rowid inserted, 0 for none.</param>
public readonly record struct WriteObservation(long RowsAffected, long LastInsertId);
