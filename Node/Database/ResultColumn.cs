namespace DistDb.Node.Database;

/// <summary>A column of a statement's result.</summary>
/// <param name="Name">As SQLite names it; may repeat.</param>
/// <param name="DeclaredType">As the schema has it, or null for an expression and for a column declared without a type.</param>
internal readonly record struct ResultColumn(string Name, string? DeclaredType);
