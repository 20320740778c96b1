using System.Globalization;
using System.Text.Json;
using DistDb.Node.Commands;
using DistDb.Node.Database;

namespace DistDb.Node.Api.Hrana;

/// <summary>Hrana's JSON: values, statements, conditions and results. What makes no sense is an <see cref="HranaException"/>.</summary>
internal static class HranaJson
{
    /// <summary>The text of a statement, or of several.</summary>
    public static string ReadSql(JsonElement element, HranaStream stream)
    {
        if (Member(element, "sql") is { } sql)
        {
            return Text(sql, "sql");
        }

        return Member(element, "sql_id") is { } id ? stream.FindSql(Int(id, "sql_id")) : throw new HranaException("A statement has \"sql\" or \"sql_id\".");
    }

    public static HranaStatement ReadStatement(JsonElement element, HranaStream stream)
    {
        if (element.ValueKind != JsonValueKind.Object)
        {
            throw new HranaException("\"stmt\" must be an object.");
        }

        List<SqlValue> positional = [.. Items(element, "args").Select(ReadValue)];
        List<KeyValuePair<string, SqlValue>> named =
            [.. Items(element, "named_args").Select(a => KeyValuePair.Create(Text(Member(a, "name"), "name"), ReadValue(Member(a, "value") ?? throw new HranaException("A named argument has a \"value\"."))))];
        var wantRows = Member(element, "want_rows") is not { ValueKind: JsonValueKind.False };
        var sql = ReadSql(element, stream);
        if (positional.Count > 0 && named.Count > 0)
        {
            return new(new(sql, StatementParameters.None), wantRows, new("ARGS_BOTH_POSITIONAL_AND_NAMED", "A statement has arguments by position or by name, not both."));
        }

        try
        {
            return new(new(sql, named.Count > 0 ? StatementParameters.FromNamed(named) : StatementParameters.FromPositional(positional)), wantRows);
        }
        catch (ArgumentException e)
        {
            return new(new(sql, StatementParameters.None), wantRows, new("ARGS_INVALID", e.Message));
        }
    }

    public static List<HranaStep> ReadBatch(JsonElement? batch, HranaStream stream)
    {
        var steps = new List<HranaStep>();
        foreach (var step in Items(batch ?? throw new HranaException("\"batch\" is missing."), "steps"))
        {
            var condition = Member(step, "condition") is { } c ? ReadCondition(c, steps.Count, 0) : null;
            steps.Add(new(condition, ReadStatement(Member(step, "stmt") ?? throw new HranaException("A step has a \"stmt\"."), stream)));
        }

        return steps;
    }

    public static SqlValue ReadValue(JsonElement element)
    {
        switch (Text(Member(element, "type"), "type"))
        {
            case "null":
                return SqlValue.Null;
            case "integer":
                var integer = Member(element, "value");
                return integer is { ValueKind: JsonValueKind.String } text && long.TryParse(text.GetString(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var parsed) ? SqlValue.From(parsed)
                    : integer is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var given) ? SqlValue.From(given)
                    : throw new HranaException("An \"integer\" has as its \"value\" a string of decimal digits, of 64 bits.");
            case "float":
                return Member(element, "value") is { ValueKind: JsonValueKind.Number } real ? SqlValue.From(real.GetDouble())
                    : Member(element, "value") is null or { ValueKind: JsonValueKind.Null } ? SqlValue.Null
                    : throw new HranaException("A \"float\" has a number as its \"value\".");
            case "text":
                return SqlValue.From(Text(Member(element, "value"), "value"));
            case "blob":
                return SqlValue.From(ReadBase64(Text(Member(element, "base64"), "base64")));
            case var type:
                throw new HranaException($"There is no value of the type \"{type}\".");
        }
    }

    public static void WriteValue(Utf8JsonWriter json, SqlValue value)
    {
        json.WriteStartObject();
        switch (value.Kind)
        {
            case SqlValueKind.Null:
                json.WriteString("type"u8, "null"u8);
                break;
            case SqlValueKind.Integer:
                json.WriteString("type"u8, "integer"u8);
                json.WriteString("value"u8, value.Integer.ToString(CultureInfo.InvariantCulture));
                break;
            case SqlValueKind.Real:
                json.WriteString("type"u8, "float"u8);
                json.WritePropertyName("value"u8);
                if (double.IsFinite(value.Real))
                {
                    json.WriteRawValue(SqlValueJson.RealText(value.Real));
                }
                else
                {
                    // As libSQL's own server and Turso's do: JSON has no infinity.
                    json.WriteNullValue();
                }

                break;
            case SqlValueKind.Text:
                json.WriteString("type"u8, "text"u8);
                json.WriteString("value"u8, value.Text);
                break;
            case SqlValueKind.Blob:
                json.WriteString("type"u8, "blob"u8);
                json.WriteString("base64"u8, Convert.ToBase64String(value.Blob).TrimEnd('='));
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(value), value.Kind, null);
        }

        json.WriteEndObject();
    }

    public static void WriteResult(Utf8JsonWriter json, StatementResult result, bool wantRows, double elapsedMs)
    {
        json.WriteStartObject();
        WriteColumns(json, result.Rows);
        json.WriteStartArray("rows"u8);
        foreach (var row in wantRows ? result.Rows?.Rows ?? [] : [])
        {
            WriteRow(json, row);
        }

        json.WriteEndArray();
        WriteCounts(json, result);
        json.WriteNull("replication_index"u8);
        json.WriteNumber("rows_read"u8, 0);
        json.WriteNumber("rows_written"u8, result.RowsAffected);
        json.WriteNumber("query_duration_ms"u8, Math.Round(elapsedMs, 3));
        json.WriteEndObject();
    }

    public static void WriteColumns(Utf8JsonWriter json, RowSet? rows)
    {
        json.WriteStartArray("cols"u8);
        for (var i = 0; i < (rows?.Columns.Count ?? 0); i++)
        {
            WriteColumn(json, rows!.Columns[i], i < rows.Declared.Count ? rows.Declared[i] : null);
        }

        json.WriteEndArray();
    }

    public static void WriteRow(Utf8JsonWriter json, SqlValue[] row)
    {
        json.WriteStartArray();
        foreach (var value in row)
        {
            WriteValue(json, value);
        }

        json.WriteEndArray();
    }

    public static void WriteCounts(Utf8JsonWriter json, StatementResult result)
    {
        json.WriteNumber("affected_row_count"u8, result.RowsAffected);
        json.WritePropertyName("last_insert_rowid"u8);
        if (result.LastInsertId != 0)
        {
            json.WriteStringValue(result.LastInsertId.ToString(CultureInfo.InvariantCulture));
        }
        else
        {
            json.WriteNullValue();
        }
    }

    public static void WriteDescription(Utf8JsonWriter json, StatementDescription description)
    {
        json.WriteStartObject();
        json.WriteStartArray("params"u8);
        foreach (var name in description.Parameters)
        {
            json.WriteStartObject();
            json.WriteString("name"u8, name);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("cols"u8);
        foreach (var (name, declared) in description.Columns)
        {
            WriteColumn(json, name, declared);
        }

        json.WriteEndArray();
        json.WriteBoolean("is_explain"u8, description.IsExplain);
        json.WriteBoolean("is_readonly"u8, description.IsReadOnly);
        json.WriteEndObject();
    }

    public static JsonElement? Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var member) && member.ValueKind != JsonValueKind.Null ? member : null;

    public static string Text(JsonElement? element, string name) =>
        element is { ValueKind: JsonValueKind.String } text ? text.GetString()! : throw new HranaException($"\"{name}\" must be a string.");

    public static int Int(JsonElement? element, string name) =>
        element is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out var value) ? value : throw new HranaException($"\"{name}\" must be a whole number.");

    public static IEnumerable<JsonElement> Items(JsonElement element, string name) => Member(element, name) switch
    {
        null => [],
        { ValueKind: JsonValueKind.Array } array => array.EnumerateArray(),
        _ => throw new HranaException($"\"{name}\" must be an array."),
    };

    private static void WriteColumn(Utf8JsonWriter json, string name, string? declared)
    {
        json.WriteStartObject();
        json.WriteString("name"u8, name);
        json.WriteString("decltype"u8, declared);
        json.WriteEndObject();
    }

    private static HranaCondition ReadCondition(JsonElement element, int step, int depth)
    {
        if (depth > 64)
        {
            throw new HranaException("A condition is nested too deeply.");
        }

        switch (Text(Member(element, "type"), "type"))
        {
            case "ok":
            case "error":
                var other = Int(Member(element, "step"), "step");
                return other >= 0 && other < step
                    ? element.GetProperty("type").ValueEquals("ok") ? new HranaCondition.Ok(other) : new HranaCondition.Error(other)
                    : throw new HranaException($"The condition of step {step} is about step {other}, which does not come before it.");
            case "not":
                return new HranaCondition.Not(ReadCondition(Member(element, "cond") ?? throw new HranaException("\"not\" has a \"cond\"."), step, depth + 1));
            case "and":
                return new HranaCondition.All([.. Items(element, "conds").Select(c => ReadCondition(c, step, depth + 1))]);
            case "or":
                return new HranaCondition.Any([.. Items(element, "conds").Select(c => ReadCondition(c, step, depth + 1))]);
            case "is_autocommit":
                return new HranaCondition.IsAutocommit();
            case var type:
                throw new HranaException($"There is no condition of the type \"{type}\".");
        }
    }

    private static byte[] ReadBase64(string text)
    {
        var padded = text.TrimEnd('=');
        padded += (padded.Length % 4) switch { 2 => "==", 3 => "=", _ => "" };
        try
        {
            return Convert.FromBase64String(padded);
        }
        catch (FormatException)
        {
            throw new HranaException("A \"blob\" has base64 in the standard alphabet.");
        }
    }
}
