using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>Some further rows of a query.</summary>
/// <param name="Rows">The rows; may be none.</param>
/// <param name="IsLast">No others follow.</param>
/// <param name="Failure">Why the query ended before its end; null while all is well.</param>
public readonly record struct RowBatch(IReadOnlyList<SqlValue[]> Rows, bool IsLast, Failure? Failure = null);
