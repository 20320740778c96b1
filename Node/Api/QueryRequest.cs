using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary>What <c>POST /query</c> asks for, checked for form but not for meaning.</summary>
internal sealed record QueryRequest
{
    /// <summary>Most statements of one transaction: room for any sane import, and not so many that all others wait long for it.</summary>
    public const int StatementsMax = 10_000;

    /// <summary>What the client called it.</summary>
    public CommandKind Command { get; init; } = CommandKind.Query;

    /// <summary>True for <c>query</c> and <c>search</c>, which give rows back; false for what writes.</summary>
    public required bool IsQuery { get; init; }

    /// <summary>One statement, or those of the transaction; none where there is an <see cref="Operation"/>.</summary>
    public required IReadOnlyList<Statement> Statements { get; init; }

    public required bool IsTransaction { get; init; }

    /// <summary>True where the client asked for one thing, so that several statements are answered as if they were one.</summary>
    public bool IsSummedUp { get; init; }

    /// <summary>The database to be created or dropped in place of statements, or null.</summary>
    public Operation? Operation { get; init; }

    /// <summary>Where the statements are for.</summary>
    public DatabaseName Database { get; init; } = DatabaseName.Main;

    /// <summary>The idempotency key, or null.</summary>
    public string? Id { get; init; }

    public bool IsStrong { get; init; }

    /// <summary>The log index that a read must see at least; zero for any.</summary>
    public long MinIndex { get; init; }

    /// <summary>How long the client waits; null for as long as the node allows.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>The most rows that a read may have, from 1; null for any number.</summary>
    public long? RowsMax { get; init; }
}
