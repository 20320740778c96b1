using System.Runtime.InteropServices;
using System.Text.Json;
using DistDb.Node.Api;
using DistDb.Node.Commands;

namespace DistDb.Tools;

/// <summary>A node's answer to a query.</summary>
/// <param name="Columns">Their names; two may be the same.</param>
/// <param name="Rows">The rows, each with one value for each column.</param>
/// <param name="Index">An index whose effects the rows surely show; they may show later ones too.</param>
public sealed record RowsAnswer(IReadOnlyList<string> Columns, IReadOnlyList<SqlValue[]> Rows, long Index)
{
    /// <exception cref="FormatException">The answer is not of this form.</exception>
    public static RowsAnswer Read(JsonElement json)
    {
        try
        {
            var columns = json.GetProperty("columns").EnumerateArray().Select(column => column.GetString()!).ToArray();
            var rows = json.GetProperty("rows").EnumerateArray()
                .Select(row => row.EnumerateArray().Select(ReadValue).ToArray())
                .ToArray();
            return new(columns, rows, json.GetProperty("index").GetInt64());
        }
        catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException)
        {
            throw new FormatException("Columns, rows and index are expected.", e);
        }
    }

    /// <summary>Whether both hold the same columns and the same values of the same storage classes in the same order.</summary>
    public bool HasSameContent(RowsAnswer other)
    {
        if (Rows.Count != other.Rows.Count || !Columns.SequenceEqual(other.Columns))
        {
            return false;
        }

        for (var i = 0; i < Rows.Count; i++)
        {
            if (!Rows[i].AsSpan().SequenceEqual(other.Rows[i]))
            {
                return false;
            }
        }

        return true;
    }

    internal static SqlValue ReadValue(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null => SqlValue.Null,
        JsonValueKind.String => SqlValue.From(value.GetString()!),
        JsonValueKind.Object => SqlValue.From(value.GetProperty("base64").GetBytesFromBase64()),
        JsonValueKind.Number => SqlValueJson.ReadNumber(JsonMarshal.GetRawUtf8Value(value)),
        _ => throw new FormatException($"A row holds a JSON {value.ValueKind}."),
    };
}
