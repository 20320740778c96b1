using System.Globalization;
using System.Text.Json;
using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary>
/// Writes rows so that nothing is lost on the way: integers exactly, reals always with a fraction or an exponent (so that 1.0 stays a
/// real) and 9e999 for infinity, blobs as <c>{"base64": "..."}</c>.
/// </summary>
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
                    WriteValue(json, row[i]);
                }

                json.WriteEndObject();
            }
            else
            {
                json.WriteStartArray();
                foreach (var value in row)
                {
                    WriteValue(json, value);
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

    private static void WriteValue(Utf8JsonWriter json, SqlValue value)
    {
        switch (value.Kind)
        {
            case SqlValueKind.Null:
                json.WriteNullValue();
                break;
            case SqlValueKind.Integer:
                json.WriteNumberValue(value.Integer);
                break;
            case SqlValueKind.Real:
                WriteReal(json, value.Real);
                break;
            case SqlValueKind.Text:
                json.WriteStringValue(value.Text);
                break;
            default:
                json.WriteStartObject();
                json.WriteBase64String("base64"u8, value.Blob);
                json.WriteEndObject();
                break;
        }
    }

    private static void WriteReal(Utf8JsonWriter json, double value)
    {
        if (double.IsInfinity(value))
        {
            json.WriteRawValue(value > 0 ? "9e999" : "-9e999");
            return;
        }

        Span<char> text = stackalloc char[32];
        value.TryFormat(text, out var length, "R", CultureInfo.InvariantCulture);
        if (text[..length].IndexOfAny('.', 'E') < 0)
        {
            text[length++] = '.';
            text[length++] = '0';
        }

        json.WriteRawValue(text[..length]);
    }
}
