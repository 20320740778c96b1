using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary>What <c>POST /query</c> asks for, checked for form but not for meaning.</summary>
internal sealed record QueryRequest
{
    /// <summary>True for <c>query</c>, which gives rows back; false for <c>exec</c>.</summary>
    public required bool IsQuery { get; init; }

    /// <summary>One statement, or those of the transaction.</summary>
    public required IReadOnlyList<Statement> Statements { get; init; }

    public required bool IsTransaction { get; init; }

    public string Database { get; init; } = "main";

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
