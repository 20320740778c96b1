using DistDb.Node.Api.Structured;
using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary>The fields of a request as they came, each right by itself and allowed for the command; whether they make a request is found out here.</summary>
internal sealed class RequestFields(CommandKind kind)
{
    public CommandKind Kind { get; } = kind;

    public string? Query { get; set; }

    public StatementParameters? Parameters { get; set; }

    public List<Statement>? Transaction { get; set; }

    public string? Database { get; set; }

    public string? Id { get; set; }

    public string? Consistency { get; set; }

    public long MinIndex { get; set; }

    public long? TimeoutMs { get; set; }

    public long? RowsMax { get; set; }

    public string? Table { get; set; }

    /// <summary>Columns of a table to be created.</summary>
    public List<ColumnDefinition>? Definitions { get; set; }

    /// <summary>Rows to be inserted.</summary>
    public List<IReadOnlyList<ColumnValue>>? Rows { get; set; }

    /// <summary>New values of rows to be updated.</summary>
    public List<ColumnValue>? Row { get; set; }

    public List<Comparison>? Conditions { get; set; }

    /// <summary>Columns to give back.</summary>
    public List<string>? Columns { get; set; }

    public List<Ordering>? Order { get; set; }

    public long? Limit { get; set; }

    public long Offset { get; set; }

    /// <summary><c>if_exists</c> or <c>if_not_exists</c>.</summary>
    public bool IsLenient { get; set; }

    /// <summary>Whether a database to be created has its foreign keys enforced.</summary>
    public bool ForeignKeys { get; set; } = true;

    /// <summary><c>all</c>: that no condition is meant.</summary>
    public bool IsForAll { get; set; }

    /// <exception cref="RequestRejectedException">Something is missing, or does not go together.</exception>
    public QueryRequest ToRequest()
    {
        if (Id is { Length: 0 or > WriteCommand.IdempotencyKeyLengthMax })
        {
            throw StrictJson.Bad($"\"id\" must have 1 to {WriteCommand.IdempotencyKeyLengthMax} characters.");
        }

        var isStrong = Consistency switch
        {
            null or "local" => false,
            "strong" => true,
            _ => throw StrictJson.Bad($"Unknown consistency \"{Consistency}\"; use \"local\" or \"strong\"."),
        };
        return Body() with
        {
            Command = Kind,
            Id = Id,
            IsStrong = isStrong,
            MinIndex = MinIndex,
            Timeout = TimeoutMs is { } ms ? TimeSpan.FromMilliseconds(ms) : null,
            RowsMax = RowsMax,
        };
    }

    private QueryRequest Body() => Kind switch
    {
        CommandKind.Exec when Transaction is not null => TransactionRequest(Transaction),
        CommandKind.Exec or CommandKind.Query => SqlRequest(),
        CommandKind.CreateDatabase or CommandKind.DropDatabase => new()
        {
            IsQuery = false,
            Statements = [],
            IsTransaction = false,
            Operation = DatabaseStatement.Operation(
                Database ?? throw Missing("database", "the name of the database"), Kind == CommandKind.CreateDatabase, IsLenient, ForeignKeys),
        },
        _ => StructuredRequest(),
    };

    private QueryRequest TransactionRequest(List<Statement> statements)
    {
        if (Query is not null || Parameters is not null)
        {
            throw StrictJson.Bad("\"transaction\" stands in place of \"query\" and \"params\"; give one or the other.");
        }

        for (var i = 0; i < statements.Count; i++)
        {
            if (DatabaseStatement.Parse(statements[i].Sql) is not null)
            {
                throw StrictJson.Bad($"\"transaction[{i}]\" creates or drops a database, which cannot be undone with the rest of a transaction. Nothing was done; send it by itself, in \"query\".");
            }
        }

        return new() { IsQuery = false, Statements = statements, IsTransaction = true, Database = NamedDatabase() };
    }

    private QueryRequest SqlRequest()
    {
        var sql = Query ?? throw Missing("query", "the SQL");
        var operation = DatabaseStatement.Parse(sql);
        return operation is not null && Parameters is { Positional: not { Count: 0 } }
            ? throw StrictJson.Bad("Creating or dropping a database takes no \"params\": the name stands in the statement. Nothing was done.")
            : new()
            {
                IsQuery = Kind == CommandKind.Query,
                Statements = operation is null ? [new(sql, Parameters ?? StatementParameters.None)] : [],
                IsTransaction = false,
                Operation = operation,
                Database = NamedDatabase(),
            };
    }

    private QueryRequest StructuredRequest()
    {
        var table = Table ?? throw Missing("table", "the name of the table");
        var statements = StructuredSql.Compile(Kind switch
        {
            CommandKind.CreateTable => new CreateTableCommand(
                table, Definitions ?? throw Missing("columns", "an object from column to type, such as {\"id\": \"INTEGER PRIMARY KEY\", \"name\": \"TEXT\"}"), IsLenient),
            CommandKind.DropTable => new DropTableCommand(table, IsLenient),
            CommandKind.Insert => new InsertCommand(table, Rows ?? throw Missing("data", "a row, such as {\"id\": 1}, or an array of rows; {} is a row of defaults")),
            CommandKind.Update => new UpdateCommand(
                table, Row is { Count: > 0 } ? Row : throw Missing("data", "the new values, such as {\"name\": \"Ann\"}"), ConditionsOrAll()),
            CommandKind.Delete => new DeleteCommand(table, ConditionsOrAll()),
            CommandKind.Search => new SearchCommand(table, Conditions ?? [], Columns, Order ?? [], Limit, Offset),
            _ => throw new System.Diagnostics.UnreachableException(Kind.ToString()),
        });
        return new()
        {
            IsQuery = Kind == CommandKind.Search,
            Statements = statements,
            IsTransaction = statements.Count > 1,
            IsSummedUp = true,
            Database = NamedDatabase(),
        };
    }

    private List<Comparison> ConditionsOrAll()
    {
        var conditions = Conditions ?? [];
        return (conditions.Count > 0, IsForAll) switch
        {
            (false, false) => throw StrictJson.Bad("\"condition\" is missing or empty, which would mean every row. Nothing was done; if that is what you want, say \"all\": true."),
            (true, true) => throw StrictJson.Bad("\"all\": true means every row, but there is a \"condition\" as well. Nothing was done; give one or the other."),
            _ => conditions,
        };
    }

    private DatabaseName NamedDatabase() =>
        Database is null ? DatabaseName.Main
        : DatabaseName.TryParse(Database, out var name) ? name
        : throw new RequestRejectedException(
            FailureCode.NoSuchDatabase, $"There is no database \"{Database}\": {DatabaseName.Rule}. Nothing was done; use \"main\", or leave \"database\" out.");

    private static RequestRejectedException Missing(string field, string what) =>
        StrictJson.Bad($"\"{field}\" is missing; put there {what}.");
}
