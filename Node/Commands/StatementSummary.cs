namespace DistDb.Node.Commands;

/// <summary>What a write is, for whoever looks at the history of writes.</summary>
/// <param name="Operation">Such as <c>INSERT</c> or <c>CREATE TABLE</c>; <c>TRANSACTION</c> where its statements do several things.</param>
/// <param name="Table">The table, view, index or trigger that it is about; null where there is none, or several.</param>
public sealed record StatementSummary(string Operation, string? Table)
{
    /// <summary>A statement that only reads.</summary>
    public static StatementSummary Select { get; } = new("SELECT", null);

    /// <summary>That of a write as a whole.</summary>
    /// <param name="statements">At least one.</param>
    public static StatementSummary Of(IReadOnlyList<StatementSummary> statements)
    {
        var first = statements[0];
        return new(
            statements.All(s => s.Operation == first.Operation) ? first.Operation : "TRANSACTION",
            statements.All(s => s.Table == first.Table) ? first.Table : null);
    }
}
