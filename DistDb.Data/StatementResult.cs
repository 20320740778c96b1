using DistDb.Node.Commands;

namespace DistDb.Data;

/// <summary>What one statement gave. Its rows are here, or come yet.</summary>
internal sealed class StatementResult
{
    /// <summary>Null where the statement has no columns.</summary>
    public IReadOnlyList<string>? Columns { get; set; }

    /// <summary>For each column its declared type in upper case, or the storage class of its first value.</summary>
    public IReadOnlyList<string> Types { get; set; } = [];

    /// <summary>How many rows were changed; null for a query.</summary>
    public long? RowsAffected { get; set; }

    /// <summary>Whether the statement changed rows, or could have.</summary>
    public bool IsChange => Columns is null || RowsAffected > 0;

    public List<SqlValue[]> Rows { get; } = [];

    /// <summary>Where further rows come from; null where all are here.</summary>
    public AnswerReader? Rest { get; set; }
}
