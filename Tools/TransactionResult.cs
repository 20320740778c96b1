using System.Text.Json;
using DistDb.Node.Commands;

namespace DistDb.Tools;

/// <summary>What one statement of a transaction did.</summary>
/// <param name="RowsAffected">How many rows it changed.</param>
/// <param name="LastInsertId">The last rowid that was given.</param>
/// <param name="Columns">The names of its rows' columns; null where it had no rows.</param>
/// <param name="Rows">Its rows; none where it had none.</param>
/// <param name="Index">The log index of the whole transaction.</param>
internal sealed record TransactionResult(
    long RowsAffected, long LastInsertId, IReadOnlyList<string>? Columns, IReadOnlyList<SqlValue[]> Rows, long Index)
{
    /// <summary>The results of a transaction's answer.</summary>
    /// <exception cref="KeyNotFoundException">It is not such an answer.</exception>
    public static IReadOnlyList<TransactionResult> ReadAll(JsonElement json)
    {
        var index = json.GetProperty("index").GetInt64();
        return [.. json.GetProperty("results").EnumerateArray().Select(result => Read(result, index))];
    }

    private static TransactionResult Read(JsonElement json, long index) => new(
        json.GetProperty("rows_affected").GetInt64(),
        json.GetProperty("last_insert_id").GetInt64(),
        json.TryGetProperty("columns", out var columns) ? [.. columns.EnumerateArray().Select(column => column.GetString()!)] : null,
        json.TryGetProperty("rows", out var rows) ? [.. rows.EnumerateArray().Select(row => row.EnumerateArray().Select(RowsAnswer.ReadValue).ToArray())] : [],
        index);
}
