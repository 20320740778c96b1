namespace DistDb.Node.Commands;

/// <summary>What one statement did and returned.</summary>
/// <param name="RowsAffected">Rows inserted, updated or deleted directly; 0 for a statement that only reads or changes the schema.</param>
/// <param name="LastInsertId">The last rowid that the statement's write inserted so far, 0 for none.</param>
/// <param name="Rows">The rows it returned, or null for a statement without columns.</param>
public sealed record StatementResult(long RowsAffected, long LastInsertId, RowSet? Rows);

/// <summary>A table of values.</summary>
/// <param name="Columns">Column names, in order; duplicates are possible.</param>
/// <param name="Types">For each column its declared type in upper case, or the storage class of its first value where it has none.</param>
/// <param name="Rows">Each row has as many values as there are columns.</param>
public sealed record RowSet(IReadOnlyList<string> Columns, IReadOnlyList<string> Types, IReadOnlyList<SqlValue[]> Rows)
{
    /// <summary>For each column its declared type as the schema has it, null where it has none. Empty where nobody asked: it is not remembered with a write's outcome.</summary>
    public IReadOnlyList<string?> Declared { get; init; } = [];
}
