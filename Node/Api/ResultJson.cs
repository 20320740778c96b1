using System.Text.Json;
using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary>Writes statements' results.</summary>
internal static class ResultJson
{
    /// <summary>Emoji and the like as they are: the answer is JSON for programs, not text within a page.</summary>
    public static JsonWriterOptions Options(bool isPretty) => new() { Encoder = MinimalJsonEncoder.Instance, Indented = isPretty };

    /// <summary>The fields of one statement's result within an open object.</summary>
    public static void WriteResult(Utf8JsonWriter json, StatementResult result, bool asObjects)
    {
        json.WriteNumber("rows_affected"u8, result.RowsAffected);
        json.WriteNumber("last_insert_id"u8, result.LastInsertId);
        if (result.Rows is { } rows)
        {
            WriteRows(json, rows, asObjects);
        }
    }

    /// <summary>The fields of a table of values within an open object.</summary>
    public static void WriteRows(Utf8JsonWriter json, RowSet rows, bool asObjects)
    {
        BeginRows(json, rows.Columns, rows.Types);
        foreach (var row in rows.Rows)
        {
            WriteRow(json, rows.Columns, row, asObjects);
        }

        json.WriteEndArray();
    }

    /// <summary>The same up to the rows, whose array is left open.</summary>
    public static void BeginRows(Utf8JsonWriter json, IReadOnlyList<string> columns, IReadOnlyList<string> types)
    {
        WriteTexts(json, "columns", columns);
        WriteTexts(json, "types", types);
        json.WriteStartArray("rows"u8);
    }

    public static void WriteRow(Utf8JsonWriter json, IReadOnlyList<string> columns, SqlValue[] row, bool asObjects)
    {
        if (asObjects)
        {
            json.WriteStartObject();
            for (var i = 0; i < row.Length; i++)
            {
                json.WritePropertyName(columns[i]);
                SqlValueJson.Write(json, row[i]);
            }

            json.WriteEndObject();
        }
        else
        {
            json.WriteStartArray();
            foreach (var value in row)
            {
                SqlValueJson.Write(json, value);
            }

            json.WriteEndArray();
        }
    }

    /// <summary>The fields that end every answer: the log index that it reflects, the node that gives it, and the milliseconds that it took.</summary>
    public static void WriteOrigin(Utf8JsonWriter json, long index, int node, double elapsedMs)
    {
        json.WriteNumber("index"u8, index);
        json.WriteNumber("node"u8, node);
        json.WriteNumber("elapsed_ms"u8, Math.Round(elapsedMs, 3));
    }

    private static void WriteTexts(Utf8JsonWriter json, string name, IReadOnlyList<string> texts)
    {
        json.WriteStartArray(name);
        foreach (var text in texts)
        {
            json.WriteStringValue(text);
        }

        json.WriteEndArray();
    }
}
