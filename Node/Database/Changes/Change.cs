using DistDb.Node.Commands;

namespace DistDb.Node.Database.Changes;

/// <summary>One change that was committed: a row's, or the schema's.</summary>
/// <param name="Write">Which write of the entry it belongs to, from 0.</param>
/// <param name="WriteId">The idempotency key of that write, or null.</param>
/// <param name="Operation">What it is.</param>
/// <param name="Table">The row's table; null for a change of the schema.</param>
public sealed record Change(int Write, string? WriteId, string Operation, string? Table)
{
    public const string Insert = "insert";
    public const string Update = "update";
    public const string Delete = "delete";
    public const string Schema = "schema";

    /// <summary>What tells the row apart: its primary key, or its rowid where it has none. Empty for a change of the schema.</summary>
    public IReadOnlyList<(string Name, SqlValue Value)> Key { get; init; } = [];

    /// <summary>The key that it had before, where an update changed it; else null.</summary>
    public IReadOnlyList<(string Name, SqlValue Value)>? OldKey { get; init; }

    /// <summary>The row as it is from then on; null where it is gone.</summary>
    public IReadOnlyList<(string Name, SqlValue Value)>? Values { get; init; }

    /// <summary>Of a change of the schema: what it is, such as <c>ALTER TABLE</c>.</summary>
    public string? Statement { get; init; }

    /// <summary>Of a change of the schema: what it is about, where that is one thing.</summary>
    public string? Name { get; init; }

    /// <summary>Of a change of the schema: the statement as it was sent.</summary>
    public string? Sql { get; init; }
}
