using System.Text.Json;
using DistDb.Node.Api.Structured;
using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary>
/// Reads a request's JSON strictly: an unknown field, one that does not belong to the command, a field given twice, a wrong type or a number that cannot be
/// kept exactly is refused by name, because whatever would be guessed could be data that is lost or changed.
/// </summary>
internal static class QueryRequestParser
{
    /// <exception cref="RequestRejectedException">The request is wrong; the message says where and what to do.</exception>
    public static QueryRequest Parse(ReadOnlySpan<byte> body) => StrictJson.ReadBody(body, Read);

    private static QueryRequest Read(ReadOnlySpan<byte> body)
    {
        // What a field means depends on the command, which may stand behind it.
        var form = CommandForm.Find(FindCommand(body));
        var reader = new Utf8JsonReader(body, StrictJson.Options);
        reader.Read();
        var fields = ReadFields(ref reader, form);
        StrictJson.RequireEnd(ref reader);
        return fields.ToRequest();
    }

    private static string? FindCommand(ReadOnlySpan<byte> body)
    {
        var reader = new Utf8JsonReader(body, StrictJson.Options);
        reader.Read();
        StrictJson.Expect(ref reader, JsonTokenType.StartObject, "The body", "a JSON object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isCommand = reader.ValueTextEquals("command"u8);
            reader.Read();
            if (isCommand)
            {
                return StrictJson.ReadText(ref reader, "command");
            }

            reader.Skip();
        }

        return null;
    }

    private static RequestFields ReadFields(ref Utf8JsonReader reader, CommandForm form)
    {
        var fields = new RequestFields(form.Kind);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            if (!seen.Add(name))
            {
                throw StrictJson.Bad($"The field \"{name}\" is given twice.");
            }

            form.Require(name);
            reader.Read();
            ReadField(ref reader, name, fields);
        }

        return fields;
    }

    private static void ReadField(ref Utf8JsonReader reader, string name, RequestFields fields)
    {
        switch (name)
        {
            case "command":
                // Read before.
                break;
            case "query":
                fields.Query = StrictJson.ReadText(ref reader, name);
                break;
            case "params":
                fields.Parameters = ReadParameters(ref reader, name);
                break;
            case "transaction":
                fields.Transaction = ReadStatements(ref reader, name);
                break;
            case "database":
                fields.Database = StrictJson.ReadOptionalText(ref reader, name);
                break;
            case "id":
                fields.Id = StrictJson.ReadOptionalText(ref reader, name);
                break;
            case "consistency":
                fields.Consistency = StrictJson.ReadOptionalText(ref reader, name);
                break;
            case "min_index":
                fields.MinIndex = StrictJson.ReadCount(ref reader, name, "an index that an earlier answer gave") ?? 0;
                break;
            case "timeout_ms":
                fields.TimeoutMs = StrictJson.ReadPositive(ref reader, name, int.MaxValue, "milliseconds");
                break;
            case "max_rows":
                fields.RowsMax = StrictJson.ReadPositive(ref reader, name, long.MaxValue, "rows");
                break;
            case "is_master" or "is_replicated":
                if (StrictJson.ReadFlag(ref reader, name))
                {
                    throw new RequestRejectedException(
                        FailureCode.PrivilegedFlag,
                        $"\"{name}\": true is for nodes of the cluster alone, over their own links. Leave it out or false; the cluster itself sees to the master's authority and to replication. Nothing was done.");
                }

                break;
            case "table":
                fields.Table = StrictJson.ReadText(ref reader, name);
                break;
            case "if_exists" or "if_not_exists":
                fields.IsLenient = StrictJson.ReadFlag(ref reader, name);
                break;
            case "foreign_keys":
                fields.ForeignKeys = reader.TokenType == JsonTokenType.Null || StrictJson.ReadFlag(ref reader, name);
                break;
            case "all":
                fields.IsForAll = StrictJson.ReadFlag(ref reader, name);
                break;
            case "limit":
                fields.Limit = StrictJson.ReadCount(ref reader, name, "the most rows that are wanted");
                break;
            case "offset":
                fields.Offset = StrictJson.ReadCount(ref reader, name, "how many rows to leave out") ?? 0;
                break;
            case "data" or "columns" or "condition" or "order_by":
                // Null is the same as leaving the field out.
                if (reader.TokenType != JsonTokenType.Null)
                {
                    ReadStructure(ref reader, name, fields);
                }

                break;
            default:
                throw new System.Diagnostics.UnreachableException(name);
        }
    }

    private static void ReadStructure(ref Utf8JsonReader reader, string name, RequestFields fields)
    {
        switch (name, fields.Kind)
        {
            case ("data" or "columns", CommandKind.CreateTable):
                fields.Definitions = fields.Definitions is null
                    ? StructuredJson.ReadDefinitions(ref reader, name)
                    : throw StrictJson.Bad("\"data\" stands in place of \"columns\"; give one or the other.");
                break;
            case ("data", CommandKind.Insert):
                fields.Rows = StructuredJson.ReadRows(ref reader, name);
                break;
            case ("data", CommandKind.Update):
                fields.Row = StructuredJson.ReadRow(ref reader, name);
                break;
            case ("columns", CommandKind.Search):
                fields.Columns = StructuredJson.ReadNames(ref reader, name);
                break;
            case ("condition", _):
                fields.Conditions = StructuredJson.ReadCondition(ref reader, name);
                break;
            case ("order_by", _):
                fields.Order = StructuredJson.ReadOrder(ref reader, name);
                break;
            default:
                throw new System.Diagnostics.UnreachableException($"{name} of {fields.Kind}");
        }
    }

    /// <summary>An array of statements, at least one.</summary>
    /// <exception cref="RequestRejectedException">It is something else.</exception>
    public static List<Statement> ReadStatements(ref Utf8JsonReader reader, string where)
    {
        StrictJson.Expect(ref reader, JsonTokenType.StartArray, $"\"{where}\"", "an array of objects with \"query\" and \"params\"");
        var statements = new List<Statement>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (statements.Count == QueryRequest.StatementsMax)
            {
                throw new RequestRejectedException(
                    FailureCode.TooLarge, $"\"{where}\" has more than {QueryRequest.StatementsMax} statements. Nothing was done; send it in parts.");
            }

            statements.Add(ReadStatement(ref reader, $"{where}[{statements.Count}]"));
        }

        return statements.Count > 0 ? statements : throw StrictJson.Bad($"\"{where}\" is empty; give it at least one statement.");
    }

    private static Statement ReadStatement(ref Utf8JsonReader reader, string where)
    {
        StrictJson.Expect(ref reader, JsonTokenType.StartObject, $"\"{where}\"", "an object with \"query\" and \"params\"");
        string? query = null;
        StatementParameters? parameters = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var name = reader.GetString()!;
            reader.Read();
            switch (name)
            {
                case "query" when query is null:
                    query = StrictJson.ReadText(ref reader, $"{where}.query");
                    break;
                case "params" when parameters is null:
                    parameters = ReadParameters(ref reader, $"{where}.params");
                    break;
                case "query" or "params":
                    throw StrictJson.Bad($"The field \"{where}.{name}\" is given twice.");
                default:
                    throw StrictJson.Bad($"Unknown field \"{where}.{name}\". Known fields: query, params.");
            }
        }

        return new(query ?? throw StrictJson.Bad($"\"{where}.query\" is missing."), parameters ?? StatementParameters.None);
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
                    positional.Add(StrictJson.ReadValue(ref reader, $"{where}[{positional.Count}]"));
                }

                return StatementParameters.FromPositional(positional);
            case JsonTokenType.StartObject:
                var named = new List<KeyValuePair<string, SqlValue>>();
                while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
                {
                    var name = reader.GetString()!;
                    reader.Read();
                    named.Add(new(name, StrictJson.ReadValue(ref reader, $"{where}.{name}")));
                }

                try
                {
                    return StatementParameters.FromNamed(named);
                }
                catch (ArgumentException)
                {
                    throw StrictJson.Bad($"A parameter in \"{where}\" is given twice (\":name\", \"@name\" and \"$name\" are the same as \"name\").");
                }

            default:
                throw StrictJson.Bad($"\"{where}\" must be an array of values or an object of named values, not {StrictJson.Describe(reader.TokenType)}.");
        }
    }
}
