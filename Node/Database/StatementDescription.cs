namespace DistDb.Node.Database;

/// <summary>What a statement takes and returns.</summary>
/// <param name="Parameters">For each position, from 1, the parameter's name with its prefix, or null for a bare <c>?</c>.</param>
/// <param name="Columns">Name, and declared type where there is one.</param>
/// <param name="IsExplain">Whether it is an <c>EXPLAIN</c>.</param>
/// <param name="IsReadOnly">Whether it only reads.</param>
public sealed record StatementDescription(
    IReadOnlyList<string?> Parameters, IReadOnlyList<(string Name, string? Declared)> Columns, bool IsExplain, bool IsReadOnly);
