using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Replication;

namespace DistDb.Node.Api;

/// <summary>
/// Lists what is in the databases. Rows are not counted, since that reads the whole of a table. One database is read after the other, so that few of
/// their files are open at a time; what changes meanwhile may or may not be seen.
/// </summary>
internal sealed class DatabaseCatalog(ClusterNode node)
{
    private const string TablesSql =
        $"""
        SELECT name, type FROM pragma_table_list
        WHERE schema = 'main' AND type <> 'shadow' AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
            AND substr(name, 1, 8) <> '{InternalSchema.Prefix}' COLLATE NOCASE
        ORDER BY name
        """;

    // Hidden with the value 1 are those that virtual tables have for passing arguments; 2 and 3 are generated.
    private const string ColumnsSql =
        """
        SELECT name, upper(type), "notnull", pk <> 0, dflt_value, hidden <> 0 FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid
        """;

    /// <param name="access">Whose databases are listed.</param>
    /// <param name="memory">What the rows are counted on.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="RequestRejectedException">A database cannot be read now, or it takes longer than the node's time limit.</exception>
    public async Task<DatabasesAnswer> ReadAsync(ClientAccess access, MemoryShare memory, CancellationToken cancellationToken)
    {
        var deadline = Deadline.After(node.RequestTimeout);
        var index = node.AppliedIndex;
        List<DatabaseAnswer> databases = [];
        foreach (var name in node.Databases.Where(access.MayUse))
        {
            if (await ReadTablesAsync(name).ConfigureAwait(false) is { } tables)
            {
                databases.Add(new(name, node.BytesOf(name), node.HasForeignKeys(name), tables));
            }
        }

        return new(databases, index.Value, node.Id.Value);

        // Null where the database was dropped just now.
        async Task<List<TableAnswer>?> ReadTablesAsync(string database)
        {
            List<TableAnswer> tables = [];
            var (rows, failure) = await QueryAsync(database, new(TablesSql, StatementParameters.None)).ConfigureAwait(false);
            foreach (var row in rows)
            {
                var table = await ReadTableAsync(database, row[0], row[1].Text).ConfigureAwait(false);
                if (table is not null)
                {
                    tables.Add(table);
                }
            }

            return failure?.Code switch
            {
                null => tables,
                FailureCode.NoSuchDatabase => null,
                _ => throw new RequestRejectedException(failure),
            };
        }

        // Null where it was dropped just now. Each by itself, since SQLite describes nothing at all where one of them cannot be used.
        async Task<TableAnswer?> ReadTableAsync(string database, SqlValue name, string kind)
        {
            var (rows, failure) = await QueryAsync(database, new(ColumnsSql, StatementParameters.FromPositional([name]))).ConfigureAwait(false);
            return failure?.Code switch
            {
                null when rows.Count == 0 => null,
                null => new(name.Text, kind, [.. rows.Select(ToColumn)], Problem: null),
                FailureCode.NoSuchDatabase => null,
                FailureCode.SqlError => new(name.Text, kind, [], failure.Detail),
                _ => throw new RequestRejectedException(failure),
            };
        }

        async Task<(IReadOnlyList<SqlValue[]> Rows, Failure? Failure)> QueryAsync(string database, Statement statement)
        {
            if (deadline.HasPassed)
            {
                throw new RequestRejectedException(FailureCode.Timeout, "Not all databases could be listed within the time limit of this node (--timeout).");
            }

            // With a limit of rows they are gathered.
            var limits = new ReadLimits(deadline.Remaining) { RowsMax = long.MaxValue, Memory = memory };
            return await node.QueryAsync(database, statement, isStrong: false, LogIndex.Zero, limits, cancellationToken).ConfigureAwait(false) switch
            {
                QueryResult.Done { Rows: var all } => (all.Rows, null),
                QueryResult.NotDone { Failure: var failure } => ([], failure),
                var result => throw new System.Diagnostics.UnreachableException(result.GetType().Name),
            };
        }
    }

    private static ColumnAnswer ToColumn(SqlValue[] row) => new(
        row[0].Text,
        row[1].Text,
        NotNull: row[2].Integer != 0,
        PrimaryKey: row[3].Integer != 0,
        Default: row[4].Kind == SqlValueKind.Null ? null : row[4].Text,
        Generated: row[5].Integer != 0);
}
