using System.Globalization;
using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>
/// The rows of <c>history_query.queries</c>: one for each write that a client sent, and for each read where reads are recorded. They come from the
/// log alone, so that all nodes have the same.
/// </summary>
internal sealed class QueryHistory(Connection connection) : IDisposable
{
    /// <summary>Longest query text that is kept, in characters.</summary>
    public const int QueryLengthMax = 8192;

    /// <summary>How times are written: in UTC, and in the order of time when compared as text.</summary>
    public const string TimeFormat = "yyyy-MM-dd HH:mm:ss.fff";

    /// <summary>Rows deleted with one entry: more than most add, so that a backlog runs out, and few enough not to be noticed.</summary>
    private const int DeletedAtOnce = 2000;

    /// <summary>Creates what is missing.</summary>
    public static readonly IReadOnlyList<string> Create =
    [
        """
        CREATE TABLE IF NOT EXISTS queries(
            id INTEGER PRIMARY KEY,
            entry INTEGER NOT NULL,
            time TEXT NOT NULL,
            node INTEGER NOT NULL,
            node_address TEXT,
            client TEXT,
            token TEXT,
            "database" TEXT NOT NULL,
            "table" TEXT,
            operation TEXT NOT NULL,
            query TEXT NOT NULL,
            rows_affected INTEGER NOT NULL)
        """,
    ];

    private readonly InternalStatement _insert = connection.CreateInternal(
        """
        INSERT INTO queries(entry, time, node, node_address, client, token, "database", "table", operation, query, rows_affected)
        VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
        """);

    private readonly InternalStatement _deleteExcess = connection.CreateInternal(
        $"DELETE FROM queries WHERE id <= (SELECT max(id) FROM queries) - ?1 AND id < (SELECT min(id) FROM queries) + {DeletedAtOnce}");

    private readonly InternalStatement _deleteOld = connection.CreateInternal(
        $"""
        DELETE FROM queries
        WHERE id < coalesce((SELECT id FROM queries WHERE time >= ?1 ORDER BY id LIMIT 1), 9223372036854775807)
            AND id < (SELECT min(id) FROM queries) + {DeletedAtOnce}
        """);

    /// <summary>Whether a batch has anything for the history.</summary>
    public static bool Concerns(WriteBatch batch) => batch.History is not null && batch.Writes.Any(IsOfClient);

    /// <summary>Adds a batch's rows within the open entry, and deletes what is past its time.</summary>
    public void Add(long entry, WriteBatch batch)
    {
        var terms = batch.History!;
        foreach (var write in batch.Writes.Where(IsOfClient))
        {
            var command = write.Command;
            var address = terms.Addresses.GetValueOrDefault(command.Id.Node);
            if (command.Operation is RecordReadsOperation { Reads: var reads })
            {
                foreach (var read in reads)
                {
                    Insert(entry, read.TimeMs, command.Id.Node, address, read.Client, read.Token, read.Database, StatementSummary.Select, read.Sql, 0);
                }

                continue;
            }

            var (database, summary, query) = Describe(write);
            Insert(entry, batch.TimeMs, command.Id.Node, address, command.Client, command.Token, database, summary, query, write.Observation.RowsAffected);
        }

        _deleteExcess.Bind(1, terms.RowsMax).Run();
        _deleteOld.Bind(1, Text(batch.TimeMs - terms.AgeMaxMs)).Run();
    }

    public void Dispose()
    {
        _insert.Dispose();
        _deleteExcess.Dispose();
        _deleteOld.Dispose();
    }

    private static bool IsOfClient(LoggedWrite write) => write.Command.Client is not null || write.Command.Operation is RecordReadsOperation;

    private static (string Database, StatementSummary Summary, string Query) Describe(LoggedWrite write) => write.Command.Operation switch
    {
        null => (write.Command.Database, write.Summary ?? new("WRITE", null), string.Join(";\n", write.Command.Statements.Where(s => s.Sql.Length > 0).Select(s => s.Sql))),
        CreateDatabaseOperation { Name: var name, ForeignKeys: var foreignKeys } =>
            (name, new("CREATE DATABASE", null), $"CREATE DATABASE \"{name}\"{(foreignKeys ? "" : " WITH foreign_keys = off")}"),
        LoadDatabaseOperation { Name: var name } => (name, new("RESTORE DATABASE", null), $"RESTORE DATABASE \"{name}\""),
        DropDatabaseOperation { Name: var name } => (name, new("DROP DATABASE", null), $"DROP DATABASE \"{name}\""),
        var operation => throw new System.Diagnostics.UnreachableException(operation.GetType().Name),
    };

    private void Insert(
        long entry,
        long timeMs,
        int node,
        string? address,
        string? client,
        string? token,
        string database,
        StatementSummary summary,
        string query,
        long rowsAffected) => _insert
            .Bind(1, entry)
            .Bind(2, Text(timeMs))
            .Bind(3, node)
            .BindOptional(4, address)
            .BindOptional(5, client)
            .BindOptional(6, token)
            .Bind(7, database)
            .BindOptional(8, summary.Table)
            .Bind(9, summary.Operation)
            .Bind(10, Shorten(query))
            .Bind(11, rowsAffected)
            .Run();

    private static string Shorten(string query) =>
        query.Length <= QueryLengthMax
            ? query
            : string.Create(CultureInfo.InvariantCulture, $"{query.AsSpan(0, QueryLengthMax)} ... ({query.Length - QueryLengthMax} more characters)");

    private static string Text(long timeMs) =>
        DateTimeOffset.FromUnixTimeMilliseconds(Math.Clamp(timeMs, 0, DatabaseWriter.TimeMsMax)).ToString(TimeFormat, CultureInfo.InvariantCulture);
}
