namespace DistDb.Node.Api.Structured;

/// <summary>A column of a table to be created. All but the two names is checked: words and numbers of a known grammar.</summary>
internal sealed record ColumnDefinition
{
    public required string Name { get; init; }

    /// <summary>Words and at most two numbers, such as <c>VARCHAR(20)</c>.</summary>
    public required string Type { get; init; }

    public bool IsPrimaryKey { get; init; }

    /// <summary>For a primary key: <c>ASC</c>, <c>DESC</c> or null.</summary>
    public string? Direction { get; init; }

    public bool IsAutoincrement { get; init; }

    public bool IsNotNull { get; init; }

    public bool IsUnique { get; init; }

    /// <summary>The default as SQL: a literal or <c>CURRENT_...</c>; null for none.</summary>
    public string? Default { get; init; }

    /// <summary>One of SQLite's own, or null.</summary>
    public string? Collation { get; init; }

    public ForeignKey? References { get; init; }
}

/// <summary>What a column's values must be found in.</summary>
/// <param name="Table">The other table.</param>
/// <param name="Column">Its column, or null for its primary key.</param>
/// <param name="OnDelete">What happens when the row found there is deleted, such as <c>CASCADE</c>; null where nothing was said.</param>
/// <param name="OnUpdate">What happens when its key changes; null where nothing was said.</param>
internal sealed record ForeignKey(string Table, string? Column, string? OnDelete, string? OnUpdate);
