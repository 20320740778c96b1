using System.Text.Json;
using DistDb.Node.Commands;

namespace DistDb.Node.Api.Structured;

/// <summary>Reads the fields of structured commands. Each method expects the reader at the value's first token and leaves it at its last.</summary>
internal static class StructuredJson
{
    /// <summary>One row, from column to value.</summary>
    /// <exception cref="RequestRejectedException">It is something else, or a column is named twice.</exception>
    public static List<ColumnValue> ReadRow(ref Utf8JsonReader reader, string where)
    {
        StrictJson.Expect(ref reader, JsonTokenType.StartObject, $"\"{where}\"", "a row: an object from column to value");
        var row = new List<ColumnValue>();
        var seen = new HashSet<string>(Identifier.Comparer);
        while (ReadName(ref reader, where, seen) is { } column)
        {
            row.Add(new(column, StrictJson.ReadValue(ref reader, $"{where}.{column}")));
        }

        return row;
    }

    /// <summary>One row, or an array of at least one.</summary>
    /// <exception cref="RequestRejectedException">It is something else.</exception>
    public static List<IReadOnlyList<ColumnValue>> ReadRows(ref Utf8JsonReader reader, string where)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return [ReadRow(ref reader, where)];
        }

        var rows = new List<IReadOnlyList<ColumnValue>>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            rows.Add(ReadRow(ref reader, $"{where}[{rows.Count}]"));
        }

        return rows.Count > 0 ? rows : throw StrictJson.Bad($"\"{where}\" is empty; give it at least one row.");
    }

    /// <summary>From column to what its value must be.</summary>
    /// <exception cref="RequestRejectedException">It is something else, or a column is named twice.</exception>
    public static List<Comparison> ReadCondition(ref Utf8JsonReader reader, string where)
    {
        StrictJson.Expect(ref reader, JsonTokenType.StartObject, $"\"{where}\"", "an object from column to value");
        var conditions = new List<Comparison>();
        var seen = new HashSet<string>(Identifier.Comparer);
        while (ReadName(ref reader, where, seen) is { } column)
        {
            ReadComparisons(ref reader, $"{where}.{column}", column, conditions);
        }

        return conditions;
    }

    /// <summary>From column to type with constraints, or to an object that says the same field by field; at least one.</summary>
    /// <exception cref="RequestRejectedException">It is something else, or a column is named twice.</exception>
    public static List<ColumnDefinition> ReadDefinitions(ref Utf8JsonReader reader, string where)
    {
        StrictJson.Expect(ref reader, JsonTokenType.StartObject, $"\"{where}\"", "an object from column to type");
        var columns = new List<ColumnDefinition>();
        var seen = new HashSet<string>(Identifier.Comparer);
        while (ReadName(ref reader, where, seen) is { } column)
        {
            columns.Add(reader.TokenType == JsonTokenType.StartObject
                ? ReadDefinition(ref reader, $"{where}.{column}", column)
                : ColumnDefinitionParser.Parse(column, StrictJson.ReadText(ref reader, $"{where}.{column}"), $"{where}.{column}"));
        }

        return columns.Count > 0 ? columns : throw StrictJson.Bad($"\"{where}\" is empty; a table has at least one column.");
    }

    /// <summary>An array of at least one column.</summary>
    /// <exception cref="RequestRejectedException">It is something else, or a column is named twice.</exception>
    public static List<string> ReadNames(ref Utf8JsonReader reader, string where)
    {
        StrictJson.Expect(ref reader, JsonTokenType.StartArray, $"\"{where}\"", "an array of columns");
        var names = new List<string>();
        var seen = new HashSet<string>(Identifier.Comparer);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            var name = StrictJson.ReadText(ref reader, $"{where}[{names.Count}]");
            names.Add(seen.Add(name) ? name : throw Twice($"{where}[{names.Count}]"));
        }

        return names.Count > 0 ? names : throw StrictJson.Bad($"\"{where}\" is empty; leave it out for all columns.");
    }

    /// <summary>A column, <c>-column</c>, <c>{"column": "desc"}</c>, or an array of them.</summary>
    /// <exception cref="RequestRejectedException">It is something else.</exception>
    public static List<Ordering> ReadOrder(ref Utf8JsonReader reader, string where)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return [ReadOrdering(ref reader, where)];
        }

        var order = new List<Ordering>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            order.Add(ReadOrdering(ref reader, $"{where}[{order.Count}]"));
        }

        return order.Count > 0 ? order : throw StrictJson.Bad($"\"{where}\" is empty; leave it out for any order.");
    }

    private static Ordering ReadOrdering(ref Utf8JsonReader reader, string where)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            if (reader.TokenType != JsonTokenType.String)
            {
                throw StrictJson.Bad($"\"{where}\" must be a column, \"-column\" for descending, or an object such as {{\"column\": \"desc\"}}, not {StrictJson.Describe(reader.TokenType)}.");
            }

            var name = reader.GetString()!;
            return name.StartsWith('-') ? new(name[1..], IsDescending: true) : new(name, IsDescending: false);
        }

        var order = new List<Ordering>();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var column = reader.GetString()!;
            reader.Read();
            order.Add(new(column, StrictJson.ReadText(ref reader, $"{where}.{column}").ToUpperInvariant() switch
            {
                "ASC" => false,
                "DESC" => true,
                _ => throw StrictJson.Bad($"\"{where}.{column}\" must be \"asc\" or \"desc\"."),
            }));
        }

        return order.Count == 1 ? order[0] : throw StrictJson.Bad($"\"{where}\" must name one column; several go into an array, most important first.");
    }

    /// <summary>A value that the column must equal, or an object of operators, all of which must hold.</summary>
    private static void ReadComparisons(ref Utf8JsonReader reader, string where, string column, List<Comparison> conditions)
    {
        // An object is a blob or operators; its first name tells.
        if (reader.TokenType != JsonTokenType.StartObject || IsBlob(reader))
        {
            conditions.Add(new(column, ComparisonOperator.Equal, [StrictJson.ReadValue(ref reader, where)]));
            return;
        }

        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (ReadName(ref reader, where, seen) is { } name)
        {
            conditions.Add(ReadComparison(ref reader, $"{where}.{name}", column, name));
        }

        if (seen.Count == 0)
        {
            throw StrictJson.Bad($"\"{where}\" is an empty object; give a value, or an operator such as {{\"gt\": 5}}.");
        }
    }

    private static Comparison ReadComparison(ref Utf8JsonReader reader, string where, string column, string name) => name switch
    {
        "eq" => new(column, ComparisonOperator.Equal, [StrictJson.ReadValue(ref reader, where)]),
        "ne" => new(column, ComparisonOperator.NotEqual, [StrictJson.ReadValue(ref reader, where)]),
        "gt" => new(column, ComparisonOperator.Greater, [ReadComparable(ref reader, where)]),
        "gte" => new(column, ComparisonOperator.GreaterOrEqual, [ReadComparable(ref reader, where)]),
        "lt" => new(column, ComparisonOperator.Less, [ReadComparable(ref reader, where)]),
        "lte" => new(column, ComparisonOperator.LessOrEqual, [ReadComparable(ref reader, where)]),
        "like" => new(column, ComparisonOperator.Like, [SqlValue.From(StrictJson.ReadText(ref reader, where))]),
        "in" => new(column, ComparisonOperator.In, ReadValues(ref reader, where)),
        "between" => new(column, ComparisonOperator.Between, ReadRange(ref reader, where)),
        _ => throw StrictJson.Bad($"Unknown operator \"{where}\". Known ones: eq, ne, gt, gte, lt, lte, like, in, between; and {{\"base64\": \"...\"}} is a blob."),
    };

    private static SqlValue ReadComparable(ref Utf8JsonReader reader, string where) =>
        reader.TokenType == JsonTokenType.Null
            ? throw StrictJson.Bad($"\"{where}\" is null, which is neither more nor less than anything; {{\"ne\": null}} finds all other values.")
            : StrictJson.ReadValue(ref reader, where);

    private static List<SqlValue> ReadValues(ref Utf8JsonReader reader, string where)
    {
        StrictJson.Expect(ref reader, JsonTokenType.StartArray, $"\"{where}\"", "an array of values");
        var values = new List<SqlValue>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            values.Add(StrictJson.ReadValue(ref reader, $"{where}[{values.Count}]"));
        }

        return values;
    }

    private static List<SqlValue> ReadRange(ref Utf8JsonReader reader, string where)
    {
        var range = ReadValues(ref reader, where);
        return range.Count == 2 && range.All(v => v.Kind != SqlValueKind.Null)
            ? range
            : throw StrictJson.Bad($"\"{where}\" must have two values, the smallest and the largest that will do, neither of them null.");
    }

    private static ColumnDefinition ReadDefinition(ref Utf8JsonReader reader, string where, string name)
    {
        var column = new ColumnDefinition { Name = name, Type = "" };
        var seen = new HashSet<string>(StringComparer.Ordinal);
        while (ReadName(ref reader, where, seen) is { } field)
        {
            var here = $"{where}.{field}";
            column = field switch
            {
                "type" => column with { Type = ColumnDefinitionParser.ParseType(StrictJson.ReadText(ref reader, here), here) },
                "primary_key" => column with { IsPrimaryKey = StrictJson.ReadFlag(ref reader, here) },
                "autoincrement" => column with { IsAutoincrement = StrictJson.ReadFlag(ref reader, here) },
                "not_null" => column with { IsNotNull = StrictJson.ReadFlag(ref reader, here) },
                "unique" => column with { IsUnique = StrictJson.ReadFlag(ref reader, here) },
                "default" => column with { Default = ReadDefault(ref reader, here) },
                "collate" => column with { Collation = ColumnDefinitionParser.ParseCollation(StrictJson.ReadText(ref reader, here), here) },
                "references" => column with { References = ColumnDefinitionParser.ParseReference(StrictJson.ReadText(ref reader, here), here) },
                _ => throw StrictJson.Bad($"Unknown field \"{here}\". Known fields: type, primary_key, autoincrement, not_null, unique, default, collate, references."),
            };
        }

        return column.Type.Length == 0 ? throw StrictJson.Bad($"\"{where}.type\" is missing.")
            : column.IsAutoincrement && !column.IsPrimaryKey ? throw StrictJson.Bad($"\"{where}.autoincrement\" goes with \"primary_key\": true.")
            : column;
    }

    private static string ReadDefault(ref Utf8JsonReader reader, string where) =>
        StrictJson.ReadValue(ref reader, where) is var value && value.Kind == SqlValueKind.Text && ColumnDefinitionParser.Instants.Contains(value.Text)
            ? value.Text
            : SqlLiteral.Of(value, where);

    /// <summary>The next name of an object, with the reader at its value; null at the object's end.</summary>
    private static string? ReadName(ref Utf8JsonReader reader, string where, HashSet<string> seen)
    {
        if (!reader.Read() || reader.TokenType != JsonTokenType.PropertyName)
        {
            return null;
        }

        var name = reader.GetString()!;
        reader.Read();
        return seen.Add(name) ? name : throw Twice($"{where}.{name}");
    }

    /// <summary>Whether the object that the reader is at begins as a blob does; the reader given is a copy.</summary>
    private static bool IsBlob(Utf8JsonReader reader) =>
        reader.Read() && reader.TokenType == JsonTokenType.PropertyName && reader.ValueTextEquals("base64"u8);

    private static RequestRejectedException Twice(string where) =>
        StrictJson.Bad($"\"{where}\" is given twice (the names of columns are the same in upper and lower case).");
}
