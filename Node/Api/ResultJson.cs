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
        WriteTexts(json, "columns", rows.Columns);
        WriteTexts(json, "types", rows.Types);
        json.WriteStartArray("rows"u8);
        foreach (var row in rows.Rows)
        {
            if (asObjects)
            {
                json.WriteStartObject();
                for (var i = 0; i < row.Length; i++)
                {
                    json.WritePropertyName(rows.Columns[i]);
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

        json.WriteEndArray();
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
