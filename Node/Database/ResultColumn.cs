namespace DistDb.Node.Database;

/// <summary>A column of a statement's result.</summary>
/// <param name="Name">As SQLite names it; may repeat.</param>
/// <param name="Declared">Its type as the schema has it, or null for an expression and for a column declared without a type.</param>
internal readonly record struct ResultColumn(string Name, string? Declared)
{
    /// <summary>The same in upper case, as <see cref="Commands.RowSet.Types"/> has it.</summary>
    public string? DeclaredType { get; } = Declared?.ToUpperInvariant();
}
