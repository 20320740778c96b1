using System.Text.Json;
using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary>
/// Reads a request's JSON strictly: an unknown field, a field given twice, a wrong type or a number that cannot be kept exactly is
/// refused by name, because whatever would be guessed could be data that is lost or changed.
/// </summary>
internal static class QueryRequestParser
{
    private const int StatementsMax = 10_000;

    private static readonly JsonReaderOptions _strict = new() { MaxDepth = 16 };

    /// <exception cref="RequestRejectedException">The request is wrong; the message says where and what to do.</exception>
    public static QueryRequest Parse(ReadOnlySpan<byte> body)
    {
        try
        {
            if (body.TrimStart(" \t\r\n"u8).IsEmpty)
            {
                throw Bad("The body is empty; send a JSON object.");
            }

            var reader = new Utf8JsonReader(body, _strict);
            reader.Read();
            var fields = ReadFields(ref reader);
            if (reader.Read())
            {
                throw Bad("The body has more than one JSON value.");
            }

            return fields.ToRequest();
        }
        catch (JsonException e)
        {
            throw Bad($"The body is not valid JSON (line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}). Check quotes and commas there.");
        }
        catch (InvalidOperationException)
        {
            // The reader's word for a string whose escapes make no Unicode text.
            throw Bad("A string in the body is not valid Unicode text (half of a surrogate pair, or broken UTF-8).");
        }
    }

    private static RequestRejectedException Bad(string detail) => new(FailureCode.BadRequest, detail);

    private static Fields ReadFields(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.StartObject, "The body", "a JSON object");
        var fields = new Fields();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            if (!seen.Add(name))
            {
                throw Bad($"The field \"{name}\" is given twice.");
            }

            reader.Read();
            ReadField(ref reader, name, fields);
        }

        return fields;
    }

    private static void ReadField(ref Utf8JsonReader reader, string name, Fields fields)
    {
        switch (name)
        {
            case "command":
                fields.Command = ReadText(ref reader, name);
                break;
            case "query":
                fields.Query = ReadText(ref reader, name);
                break;
            case "params":
                fields.Parameters = ReadParameters(ref reader, name);
                break;
            case "transaction":
                fields.Transaction = ReadTransaction(ref reader);
                break;
            case "database":
                fields.Database = ReadOptionalText(ref reader, name);
                break;
            case "id":
                fields.Id = ReadOptionalText(ref reader, name);
                break;
            case "consistency":
                fields.Consistency = ReadOptionalText(ref reader, name);
                break;
            case "min_index":
                fields.MinIndex = ReadIndex(ref reader, name);
                break;
            case "timeout_ms":
                fields.TimeoutMs = ReadCount(ref reader, name, int.MaxValue, "milliseconds");
                break;
            case "max_rows":
                fields.RowsMax = ReadCount(ref reader, name, long.MaxValue, "rows");
                break;
            case "is_master" or "is_replicated":
                if (ReadFlag(ref reader, name))
                {
                    throw new RequestRejectedException(
                        FailureCode.PrivilegedFlag,
                        $"\"{name}\": true is for nodes of the cluster alone, over their own links. Leave it out or false; the cluster itself sees to the master's authority and to replication. Nothing was done.");
                }

                break;
            default:
                throw Bad($"Unknown field \"{name}\". Known fields: command, query, params, transaction, database, id, consistency, min_index, timeout_ms, max_rows, is_master, is_replicated.");
        }
    }

    private static List<Statement> ReadTransaction(ref Utf8JsonReader reader)
    {
        Expect(ref reader, JsonTokenType.StartArray, "\"transaction\"", "an array of objects with \"query\" and \"params\"");
        var statements = new List<Statement>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (statements.Count == StatementsMax)
            {
                throw new RequestRejectedException(
                    FailureCode.TooLarge, $"\"transaction\" has more than {StatementsMax} statements. Nothing was done; send it in parts.");
            }

            statements.Add(ReadStatement(ref reader, $"transaction[{statements.Count}]"));
        }

        return statements.Count > 0 ? statements : throw Bad("\"transaction\" is empty; give it at least one statement.");
    }

    private static Statement ReadStatement(ref Utf8JsonReader reader, string where)
    {
        Expect(ref reader, JsonTokenType.StartObject, $"\"{where}\"", "an object with \"query\" and \"params\"");
        string? query = null;
        StatementParameters? parameters = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            switch (name)
            {
                case "query" when query is null:
                    query = ReadText(ref reader, $"{where}.query");
                    break;
                case "params" when parameters is null:
                    parameters = ReadParameters(ref reader, $"{where}.params");
                    break;
                case "query" or "params":
                    throw Bad($"The field \"{where}.{name}\" is given twice.");
                default:
                    throw Bad($"Unknown field \"{where}.{name}\". Known fields: query, params.");
            }
        }

        return new(query ?? throw Bad($"\"{where}.query\" is missing."), parameters ?? StatementParameters.None);
    }

    private static StatementParameters ReadParameters(ref Utf8JsonReader reader, string where)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                return StatementParameters.None;
            case JsonTokenType.StartArray:
                var positional = new List<SqlValue>();
                while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
                {
                    positional.Add(ReadValue(ref reader, $"{where}[{positional.Count}]"));
                }

                return StatementParameters.FromPositional(positional);
            case JsonTokenType.StartObject:
                var named = new List<KeyValuePair<string, SqlValue>>();
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    var name = reader.GetString()!;
                    reader.Read();
                    named.Add(new(name, ReadValue(ref reader, $"{where}.{name}")));
                }

                try
                {
                    return StatementParameters.FromNamed(named);
                }
                catch (ArgumentException)
                {
                    throw Bad($"A parameter in \"{where}\" is given twice (\":name\", \"@name\" and \"$name\" are the same as \"name\").");
                }

            default:
                throw Bad($"\"{where}\" must be an array of values or an object of named values, not {Describe(reader.TokenType)}.");
        }
    }

    private static SqlValue ReadValue(ref Utf8JsonReader reader, string where)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                return SqlValue.Null;
            case JsonTokenType.True:
                return SqlValue.From(1);
            case JsonTokenType.False:
                return SqlValue.From(0);
            case JsonTokenType.String:
                return SqlValue.From(reader.GetString()!);
            case JsonTokenType.Number:
                return ReadNumber(ref reader, where);
            case JsonTokenType.StartObject:
                return ReadBlob(ref reader, where);
            default:
                throw Bad($"\"{where}\" is {Describe(reader.TokenType)}; a value is null, a boolean, a number, a string, or {{\"base64\": \"...\"}} for a blob. To store JSON, send it as a string.");
        }
    }

    private static SqlValue ReadNumber(ref Utf8JsonReader reader, string where)
    {
        if (reader.TryGetInt64(out var integer))
        {
            return SqlValue.From(integer);
        }

        // Written as an integer but beyond 64 bits: a double would silently be another number.
        return reader.ValueSpan.IndexOfAny("."u8[0], "e"u8[0], "E"u8[0]) < 0
            ? throw Bad($"\"{where}\" is an integer beyond 64 bits. Send it as a string, or with a fraction (such as 1e20) if an approximation will do.")
            : SqlValue.From(reader.GetDouble());
    }

    private static SqlValue ReadBlob(ref Utf8JsonReader reader, string where)
    {
        byte[]? bytes = null;
        if (reader.Read() && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("base64"u8)
            && reader.Read() && reader.TokenType == JsonTokenType.String)
        {
            bytes = reader.TryGetBytesFromBase64(out var decoded)
                ? decoded
                : throw Bad($"\"{where}.base64\" is not valid base64.");
        }

        return bytes is not null && reader.Read() && reader.TokenType == JsonTokenType.EndObject
            ? SqlValue.From(bytes)
            : throw Bad($"\"{where}\" is an object; the only one allowed as a value is {{\"base64\": \"...\"}}. To store JSON, send it as a string.");
    }

    private static string ReadText(ref Utf8JsonReader reader, string name)
    {
        Expect(ref reader, JsonTokenType.String, $"\"{name}\"", "a string");
        return reader.GetString()!;
    }

    private static string? ReadOptionalText(ref Utf8JsonReader reader, string name) =>
        reader.TokenType == JsonTokenType.Null ? null : ReadText(ref reader, name);

    private static bool ReadFlag(ref Utf8JsonReader reader, string name) => reader.TokenType switch
    {
        JsonTokenType.True => true,
        JsonTokenType.False or JsonTokenType.Null => false,
        var other => throw Bad($"\"{name}\" must be true or false, not {Describe(other)}."),
    };

    private static long ReadIndex(ref Utf8JsonReader reader, string name)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return 0;
        }

        return reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var index) && index >= 0
            ? index
            : throw Bad($"\"{name}\" must be an index that an earlier answer gave: a whole number from 0.");
    }

    private static long? ReadCount(ref Utf8JsonReader reader, string name, long max, string unit)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        return reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var count) && count >= 1 && count <= max
            ? count
            : throw Bad($"\"{name}\" must be a number of {unit}: a whole number from 1 to {max}.");
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType type, string what, string expected)
    {
        if (reader.TokenType != type)
        {
            throw Bad($"{what} must be {expected}, not {Describe(reader.TokenType)}.");
        }
    }

    private static string Describe(JsonTokenType type) => type switch
    {
        JsonTokenType.Null => "null",
        JsonTokenType.True or JsonTokenType.False => "a boolean",
        JsonTokenType.Number => "a number",
        JsonTokenType.String => "a string",
        JsonTokenType.StartArray => "an array",
        _ => "an object",
    };

    /// <summary>The fields as they came.</summary>
    private sealed class Fields
    {
        public string? Command { get; set; }

        public string? Query { get; set; }

        public StatementParameters? Parameters { get; set; }

        public List<Statement>? Transaction { get; set; }

        public string? Database { get; set; }

        public string? Id { get; set; }

        public string? Consistency { get; set; }

        public long MinIndex { get; set; }

        public long? TimeoutMs { get; set; }

        public long? RowsMax { get; set; }

        public QueryRequest ToRequest()
        {
            var isQuery = Command?.ToUpperInvariant() switch
            {
                "EXEC" => false,
                "QUERY" => true,
                null => throw Bad("\"command\" is missing; use \"exec\" to write or \"query\" to read."),
                _ => throw Bad($"Unknown command \"{Command}\"; use \"exec\" to write or \"query\" to read."),
            };
            if (Transaction is not null && (Query is not null || Parameters is not null))
            {
                throw Bad("\"transaction\" stands in place of \"query\" and \"params\"; give one or the other.");
            }

            if (Transaction is not null && isQuery)
            {
                throw Bad("A transaction goes with command \"exec\"; it may contain reading statements.");
            }

            if (Transaction is null && Query is null)
            {
                throw Bad("\"query\" is missing; put the SQL there.");
            }

            if (Id is { Length: 0 or > WriteCommand.IdempotencyKeyLengthMax })
            {
                throw Bad($"\"id\" must have 1 to {WriteCommand.IdempotencyKeyLengthMax} characters.");
            }

            if (RowsMax is not null && !isQuery)
            {
                throw Bad("\"max_rows\" goes with command \"query\".");
            }

            var isStrong = Consistency switch
            {
                null or "local" => false,
                "strong" => true,
                _ => throw Bad($"Unknown consistency \"{Consistency}\"; use \"local\" or \"strong\"."),
            };
            return new()
            {
                IsQuery = isQuery,
                Statements = Transaction ?? [new(Query!, Parameters ?? StatementParameters.None)],
                IsTransaction = Transaction is not null,
                Database = Database ?? "main",
                Id = Id,
                IsStrong = isStrong,
                MinIndex = MinIndex,
                Timeout = TimeoutMs is { } ms ? TimeSpan.FromMilliseconds(ms) : null,
                RowsMax = RowsMax,
            };
        }
    }
}
