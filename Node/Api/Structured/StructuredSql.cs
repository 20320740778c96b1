using System.Text;
using DistDb.Node.Commands;

namespace DistDb.Node.Api.Structured;

/// <summary>
/// Makes SQL of structured commands. Values are bound, names are quoted, and nothing else of a client's gets into the text. Columns are qualified by their
/// table wherever they are read, because SQLite takes <c>"nope"</c> for a text where there is no such column, but never <c>"t"."nope"</c>.
/// </summary>
internal static class StructuredSql
{
    /// <summary>Most parameters of one statement: what SQLite has been built with by default since 3.32.</summary>
    public const int ParametersMax = 32_766;

    private const string NothingDone = "Nothing was done.";

    /// <summary>Compiles a command.</summary>
    /// <returns>
    /// One statement; several only for an <see cref="InsertCommand"/> of many rows, to be done as one transaction.
    /// </returns>
    /// <exception cref="RequestRejectedException">A name is none, rows do not have the same columns, or there are too many values or rows.</exception>
    public static IReadOnlyList<Statement> Compile(StructuredCommand command) => command switch
    {
        CreateTableCommand create => [new(CreateTable(create), StatementParameters.None)],
        DropTableCommand drop => [new($"DROP TABLE {(drop.IfExists ? "IF EXISTS " : "")}{Table(drop)}", StatementParameters.None)],
        InsertCommand insert => Insert(insert),
        UpdateCommand update => [Update(update)],
        DeleteCommand delete => [Delete(delete)],
        SearchCommand search => [Search(search)],
        _ => throw new System.Diagnostics.UnreachableException(command.GetType().Name),
    };

    private static string CreateTable(CreateTableCommand command) =>
        $"CREATE TABLE {(command.IfNotExists ? "IF NOT EXISTS " : "")}{Table(command)} ({string.Join(", ", command.Columns.Select(Define))})";

    private static string Define(ColumnDefinition column)
    {
        var sql = new StringBuilder($"{Identifier.Quote(column.Name, "columns")} {column.Type}");
        if (column.IsPrimaryKey)
        {
            sql.Append(" PRIMARY KEY");
            sql.Append(column.Direction is { } direction ? " " + direction : "");
            sql.Append(column.IsAutoincrement ? " AUTOINCREMENT" : "");
        }

        sql.Append(column.IsNotNull ? " NOT NULL" : "");
        sql.Append(column.IsUnique ? " UNIQUE" : "");
        sql.Append(column.Default is { } value ? " DEFAULT " + value : "");
        sql.Append(column.Collation is { } collation ? " COLLATE " + collation : "");
        if (column.References is { } key)
        {
            sql.Append($" REFERENCES {Identifier.Quote(key.Table, "columns")}");
            sql.Append(key.Column is { } other ? $" ({Identifier.Quote(other, "columns")})" : "");
            sql.Append(key.OnDelete is { } onDelete ? " ON DELETE " + onDelete : "");
            sql.Append(key.OnUpdate is { } onUpdate ? " ON UPDATE " + onUpdate : "");
        }

        return sql.ToString();
    }

    private static List<Statement> Insert(InsertCommand command)
    {
        var table = Table(command);
        var columns = command.Rows[0].Select(v => v.Column).ToList();
        var rowsAtOnce = columns.Count == 0 ? 1 : Math.Max(1, ParametersMax / columns.Count);
        var statementCount = (command.Rows.Count + rowsAtOnce - 1) / rowsAtOnce;
        if (statementCount > QueryRequest.StatementsMax)
        {
            throw new RequestRejectedException(
                FailureCode.TooLarge, $"\"data\" has more rows than one request can insert ({QueryRequest.StatementsMax * (long)rowsAtOnce}). {NothingDone} Send them in parts.");
        }

        var rows = AlignRows(command.Rows, columns);
        var head = columns.Count == 0
            ? $"INSERT INTO {table} DEFAULT VALUES"
            : $"INSERT INTO {table} ({string.Join(", ", columns.Select(c => Identifier.Quote(c, "data")))}) VALUES ";
        var placeholders = $"({Placeholders(columns.Count)})";
        return
        [
            .. rows.Chunk(rowsAtOnce).Select(chunk => new Statement(
                columns.Count == 0 ? head : head + string.Join(", ", Enumerable.Repeat(placeholders, chunk.Length)),
                Bind([.. chunk.SelectMany(row => row)]))),
        ];
    }

    /// <summary>Each row's values in the order of the columns.</summary>
    private static List<SqlValue[]> AlignRows(IReadOnlyList<IReadOnlyList<ColumnValue>> rows, List<string> columns)
    {
        var positions = new Dictionary<string, int>(Identifier.Comparer);
        for (var i = 0; i < columns.Count; i++)
        {
            positions.Add(columns[i], i);
        }

        var aligned = new List<SqlValue[]>(rows.Count);
        foreach (var row in rows)
        {
            var values = new SqlValue[columns.Count];
            foreach (var (column, value) in row)
            {
                values[positions.TryGetValue(column, out var position) ? position : throw OtherColumns(aligned.Count, $"\"{column}\", which \"data[0]\" has not")] = value;
            }

            if (row.Count < columns.Count)
            {
                var missing = columns.First(c => !row.Any(v => Identifier.Comparer.Equals(v.Column, c)));
                throw OtherColumns(aligned.Count, $"no \"{missing}\", which \"data[0]\" has");
            }

            aligned.Add(values);
        }

        return aligned;
    }

    private static RequestRejectedException OtherColumns(int row, string difference) => Bad(
        $"\"data[{row}]\" has {difference}; all rows of one insert have the same columns. {NothingDone} Give it the same ones (null is a value too), or insert it by itself.");

    private static Statement Update(UpdateCommand command)
    {
        var values = new List<SqlValue>();
        var assignments = new List<string>();
        foreach (var (column, value) in command.Data)
        {
            assignments.Add(Identifier.Quote(column, "data") + " = ?");
            values.Add(value);
        }

        var table = Table(command);
        return new($"UPDATE {table} SET {string.Join(", ", assignments)}{Where(table, command.Conditions, values)}", Bind(values));
    }

    private static Statement Delete(DeleteCommand command)
    {
        var values = new List<SqlValue>();
        var table = Table(command);
        return new($"DELETE FROM {table}{Where(table, command.Conditions, values)}", Bind(values));
    }

    private static Statement Search(SearchCommand command)
    {
        var values = new List<SqlValue>();
        var table = Table(command);

        // The names of the result are the ones that were asked for, in their spelling.
        var columns = command.Columns is null
            ? "*"
            : string.Join(", ", command.Columns.Select(c => $"{table}.{Identifier.Quote(c, "columns")} AS {Identifier.Quote(c, "columns")}"));
        var sql = new StringBuilder($"SELECT {columns} FROM {table}{Where(table, command.Conditions, values)}");
        if (command.Order.Count > 0)
        {
            sql.Append(" ORDER BY ").AppendJoin(", ", command.Order.Select(o => $"{table}.{Identifier.Quote(o.Column, "order_by")}{(o.IsDescending ? " DESC" : "")}"));
        }

        if (command.Limit is not null || command.Offset > 0)
        {
            // SQLite has no OFFSET without a LIMIT; a negative one is none.
            sql.Append(" LIMIT ? OFFSET ?");
            values.Add(SqlValue.From(command.Limit ?? -1));
            values.Add(SqlValue.From(command.Offset));
        }

        return new(sql.ToString(), Bind(values));
    }

    private static string Where(string table, IReadOnlyList<Comparison> conditions, List<SqlValue> values) =>
        conditions.Count == 0 ? "" : " WHERE " + string.Join(" AND ", conditions.Select(c => Compare(table, c, values)));

    private static string Compare(string table, Comparison condition, List<SqlValue> values)
    {
        var column = $"{table}.{Identifier.Quote(condition.Column, "condition")}";
        switch (condition.Operator)
        {
            case ComparisonOperator.In:
                return IsOneOf(column, condition.Values, values);
            case ComparisonOperator.Equal when condition.Values[0].Kind == SqlValueKind.Null:
                return column + " IS NULL";
            case ComparisonOperator.NotEqual when condition.Values[0].Kind == SqlValueKind.Null:
                return column + " IS NOT NULL";
            case ComparisonOperator.Between:
                values.AddRange(condition.Values);
                return column + " BETWEEN ? AND ?";
            default:
                values.Add(condition.Values[0]);
                return $"{column} {Symbol(condition.Operator)} ?";
        }
    }

    private static string IsOneOf(string column, IReadOnlyList<SqlValue> wanted, List<SqlValue> values)
    {
        var known = wanted.Where(v => v.Kind != SqlValueKind.Null).ToList();
        values.AddRange(known);
        return (known.Count, known.Count < wanted.Count) switch
        {
            // Never true; and unlike "IN ()" SQLite looks whether there is such a column.
            (0, false) => $"{column} <> {column}",
            (0, true) => $"{column} IS NULL",
            (_, false) => $"{column} IN ({Placeholders(known.Count)})",
            (_, true) => $"({column} IN ({Placeholders(known.Count)}) OR {column} IS NULL)",
        };
    }

    private static string Symbol(ComparisonOperator comparison) => comparison switch
    {
        ComparisonOperator.Equal => "=",

        // Other than "<>" it is true for NULL as well, so that equal and not equal together are all rows.
        ComparisonOperator.NotEqual => "IS NOT",
        ComparisonOperator.Greater => ">",
        ComparisonOperator.GreaterOrEqual => ">=",
        ComparisonOperator.Less => "<",
        ComparisonOperator.LessOrEqual => "<=",
        ComparisonOperator.Like => "LIKE",
        _ => throw new System.Diagnostics.UnreachableException(comparison.ToString()),
    };

    private static string Table(StructuredCommand command) => Identifier.Quote(command.Table, "table");

    private static string Placeholders(int count) => string.Join(", ", Enumerable.Repeat("?", count));

    private static StatementParameters Bind(List<SqlValue> values) => values.Count switch
    {
        0 => StatementParameters.None,
        <= ParametersMax => StatementParameters.FromPositional(values),
        _ => throw new RequestRejectedException(
            FailureCode.TooLarge, $"The command has {values.Count} values; one statement takes {ParametersMax}. {NothingDone} Do it in parts."),
    };

    private static RequestRejectedException Bad(string detail) => new(FailureCode.BadRequest, detail);
}
