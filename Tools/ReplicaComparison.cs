using DistDb.Node.Commands;

namespace DistDb.Tools;

/// <summary>
/// Compares everything that users put into the replicas: schema and rows, values with their storage classes. Tables are read page by
/// page from all replicas side by side, so memory is bounded by a few pages whatever a table's size, and the first difference is found
/// without remembering what came before it.
/// </summary>
/// <param name="client">Speaks to the nodes.</param>
/// <param name="replicas">What to compare; at least one can be read.</param>
/// <param name="shownRowsMax">How many rows of each table a <see cref="TableContent"/> keeps.</param>
/// <param name="onlyTable">Compares this table, with what belongs to it, and no other; null for all.</param>
internal sealed class ReplicaComparison(ClusterClient client, IReadOnlyList<Replica> replicas, int shownRowsMax, string? onlyTable = null)
{
    /// <summary>Small rows travel well in pages of this size; pages of large rows are halved until a node agrees to send them.</summary>
    private const int PageRows = 500;

    /// <summary>Objects of users: not SQLite's own, not the cluster's.</summary>
    private const string SchemaSql =
        """
        SELECT type, name, sql, rootpage > 0 AS stored, tbl_name FROM sqlite_master
        WHERE substr(name, 1, 7) <> 'sqlite_' AND substr(tbl_name, 1, 8) <> '_distdb_' ORDER BY type, name
        """;

    /// <summary>Where AUTOINCREMENT goes on: not shown, but a difference here becomes one in the rows.</summary>
    private const string SequencesSql = "SELECT name, seq FROM sqlite_sequence WHERE substr(name, 1, 8) <> '_distdb_' ORDER BY name";

    private readonly ReplicaReader _reader = new(client);
    private readonly List<Finding> _findings = [];
    private int _tableCount;
    private long _rowCount;

    /// <summary>Compares the databases one after the other.</summary>
    /// <param name="databases">Their names; <c>main</c> goes first, since it exists on every node and so makes each catch up.</param>
    /// <param name="index">A log index that some node has applied: all replicas are awaited there.</param>
    /// <param name="report">Called for each table as soon as it is compared.</param>
    /// <param name="cancellation">Ends it early.</param>
    public async Task<ComparisonResult> RunAsync(
        IEnumerable<string> databases, long index, Action<TableComparison> report, CancellationToken cancellation)
    {
        _reader.WaitFor(index);
        foreach (var database in databases.OrderBy(name => name != "main").ThenBy(name => name, StringComparer.Ordinal))
        {
            await CompareDatabaseAsync(database, report, cancellation).ConfigureAwait(false);
        }

        var (min, max) = _reader.IndexRange;
        return new(replicas, _findings, _tableCount, _rowCount, min, max);
    }

    private async Task CompareDatabaseAsync(string database, Action<TableComparison> report, CancellationToken cancellation)
    {
        var reading = await ReadAsync(replicas, NodeRequest.Query(SchemaSql) with { Database = database }, cancellation).ConfigureAwait(false);
        foreach (var (replica, problem) in reading.Refusals)
        {
            _findings.Add(problem.Code == "no_such_database"
                ? new(FindingKind.Schema, database, null, $"database {database}: missing on {replica.Name}")
                : new(FindingKind.Undecided, database, null, $"database {database}: {replica.Name} does not tell its schema: {problem.Message}"));
        }

        var holders = reading.Answers.Select(answer => answer.Replica).ToArray();
        var objects = reading.Answers
            .SelectMany(answer => answer.Answer.Rows.Select(row => (answer.Replica, Object: SchemaObject.Read(row))))
            .Where(found => onlyTable is null || found.Object.Table.Equals(onlyTable, StringComparison.OrdinalIgnoreCase))
            .GroupBy(found => (found.Object.Type, found.Object.Name))
            .ToArray();
        if (!reading.Agree)
        {
            CompareSchema(database, objects, holders, reading.AtOnePoint);
        }

        foreach (var table in objects.Where(group => group.Any(found => found.Object.IsStoredTable)))
        {
            var having = table.Where(found => found.Object.IsStoredTable && found.Replica.Failure is null).Select(found => found.Replica).ToArray();
            if (having.Length > 0)
            {
                var comparison = await CompareTableAsync(database, table.Key.Name, having, cancellation).ConfigureAwait(false);
                Note(comparison.Finding);
                _tableCount++;
                report(comparison);
            }
        }

        if (objects.Any(group => group.Any(found => found.Object.UsesSequence)))
        {
            await CompareSequencesAsync(database, holders, cancellation).ConfigureAwait(false);
        }
    }

    private void CompareSchema(
        string database,
        IEnumerable<IGrouping<(string Type, string Name), (Replica Replica, SchemaObject Object)>> objects,
        IReadOnlyCollection<Replica> holders,
        bool atOnePoint)
    {
        foreach (var group in objects)
        {
            var name = $"{group.Key.Type} {group.Key.Name}";
            var missing = holders.Except(group.Select(found => found.Replica)).ToArray();
            var definitions = group.GroupBy(found => found.Object.Sql, found => found.Replica).ToArray();
            if (missing.Length == 0 && definitions.Length == 1)
            {
                continue;
            }

            var detail = missing.Length > 0
                ? $"{name}: missing on {Replica.NamesOf(missing)}"
                : $"{name}: defined differently on {string.Join(" and on ", definitions.Select(Replica.NamesOf))}";
            _findings.Add(atOnePoint
                ? new(FindingKind.Schema, database, group.Key.Name, detail)
                : Moving(database, group.Key.Name, name));
        }
    }

    private async Task<TableComparison> CompareTableAsync(
        string database, string table, IReadOnlyList<Replica> having, CancellationToken cancellation)
    {
        var readers = new List<TableReader>();
        foreach (var replica in having)
        {
            try
            {
                // The schema was read at the highest index, so that is where the table is as it was seen.
                var paging = await TablePaging.CreateAsync(
                    request => client.QueryAsync(
                        replica.Address, request with { Database = database, MinIndex = _reader.HighestIndex }, cancellation),
                    table).ConfigureAwait(false);
                if (paging is null)
                {
                    return Unread($"table {table}: its columns hide the rowid under all of its names, so it cannot be read in pages");
                }

                readers.Add(new(replica, paging));
            }
            catch (NodeUnreachableException e)
            {
                replica.Failure = $"cannot be reached: {e.Reason}";
            }
            catch (NodeProblemException e)
            {
                return Unread($"table {table}: {replica.Name} does not tell its columns: {e.Message}");
            }
        }

        var (finding, same) = await CompareRowsAsync(database, table, readers, cancellation).ConfigureAwait(false);
        _rowCount += same;
        var contents = new List<TableContent>();
        foreach (var reader in readers.Where(reader => reader.Replica.Failure is null))
        {
            contents.Add(finding is null
                ? new(reader.Replica, reader.Columns, reader.Shown, same)
                : await ShowAsync(database, reader, cancellation).ConfigureAwait(false));
        }

        return new(database, table, contents, finding);

        TableComparison Unread(string detail) => new(database, table, [], new(FindingKind.Undecided, database, table, detail));
    }

    /// <returns>The first difference, if there is one, and how many rows before it are the same.</returns>
    private async Task<(Finding? Finding, long Same)> CompareRowsAsync(
        string database, string table, IReadOnlyList<TableReader> readers, CancellationToken cancellation)
    {
        var pageRows = PageRows;
        long same = 0;
        while (true)
        {
            var reading = await _reader.ReadAsync(
                [.. readers.Select(reader => reader.Replica)],
                replica => readers.First(reader => reader.Replica == replica).NextPage(pageRows) with { Database = database },
                cancellation).ConfigureAwait(false);
            if (reading.Refusals.Count > 0)
            {
                var (replica, problem) = reading.Refusals[0];
                if (problem.Code == "too_large" && pageRows > 1)
                {
                    pageRows /= 2;
                    continue;
                }

                return (new(FindingKind.Undecided, database, table, $"table {table}: {replica.Name} does not send row {same + 1}: {problem.Message}"), same);
            }

            if (reading.Answers.Count == 0)
            {
                return (new(FindingKind.Undecided, database, table, $"table {table}: no node was left to read it from"), same);
            }

            if (!reading.Agree)
            {
                var finding = reading.AtOnePoint
                    ? new(FindingKind.Rows, database, table, $"table {table}: {RowDifference.Describe(reading.Answers, readers[0].Paging)}")
                    : Moving(database, table, $"table {table}");
                return (finding, same);
            }

            foreach (var (replica, answer) in reading.Answers)
            {
                readers.First(reader => reader.Replica == replica).Take(answer, shownRowsMax);
            }

            var count = reading.Answers[0].Answer.Rows.Count;
            same += count;
            if (count < pageRows)
            {
                return (null, same);
            }
        }
    }

    /// <summary>Reads on by itself what is to be shown of a replica whose rows differ from the others'.</summary>
    private async Task<TableContent> ShowAsync(string database, TableReader reader, CancellationToken cancellation)
    {
        try
        {
            while (reader.Shown.Count < shownRowsMax || reader.Columns.Count == 0)
            {
                // One row at least, to learn the columns.
                var rows = Math.Clamp(shownRowsMax - reader.Shown.Count, 1, PageRows);
                var answer = await client.QueryAsync(
                    reader.Replica.Address, reader.NextPage(rows) with { Database = database }, cancellation).ConfigureAwait(false);
                reader.Take(answer, shownRowsMax);
                if (answer.Rows.Count < rows)
                {
                    break;
                }
            }

            var count = await client.QueryAsync(
                reader.Replica.Address, reader.Paging.Count() with { Database = database }, cancellation).ConfigureAwait(false);
            return new(reader.Replica, reader.Columns, reader.Shown, count.Rows[0][0].Integer);
        }
        catch (NodeException)
        {
            // The finding that led here says what is wrong; what was read so far is still worth showing.
            return new(reader.Replica, reader.Columns, reader.Shown, null);
        }
    }

    private async Task CompareSequencesAsync(string database, IReadOnlyList<Replica> holders, CancellationToken cancellation)
    {
        var reading = await ReadAsync(holders, NodeRequest.Query(SequencesSql) with { Database = database }, cancellation).ConfigureAwait(false);
        foreach (var (replica, problem) in reading.Refusals)
        {
            Note(new(FindingKind.Undecided, database, "sqlite_sequence", $"AUTOINCREMENT counters: {replica.Name} does not tell: {problem.Message}"));
        }

        if (reading.Refusals.Count == 0 && !reading.Agree)
        {
            var values = reading.Answers
                .SelectMany(answer => answer.Answer.Rows.Select(row => (Table: row[0].Text, Next: row[1], answer.Replica)))
                .GroupBy(found => found.Table)
                .First(group => group.Select(found => found.Next).Distinct().Count() > 1 || group.Count() < reading.Answers.Count);
            var detail = string.Join(", ", values.Select(found => $"{ToolConsole.Show(found.Next, quoted: true)} on {found.Replica.Name}"));
            Note(reading.AtOnePoint
                ? new(FindingKind.Rows, database, values.Key, $"table {values.Key}: its AUTOINCREMENT counter is {detail}")
                : Moving(database, values.Key, $"the AUTOINCREMENT counter of table {values.Key}"));
        }
    }

    private Task<Reading> ReadAsync(IReadOnlyList<Replica> from, NodeRequest request, CancellationToken cancellation) =>
        _reader.ReadAsync(from, _ => request, cancellation);

    private static Finding Moving(string database, string name, string what) => new(
        FindingKind.Undecided, database, name, $"{what}: written to all the time, so the replicas could not be read at one point");

    private void Note(Finding? finding)
    {
        if (finding is not null)
        {
            _findings.Add(finding);
        }
    }

    /// <summary>A row of <see cref="SchemaSql"/>.</summary>
    private sealed record SchemaObject(string Type, string Name, string? Sql, bool Stored, string Table)
    {
        /// <summary>Virtual tables keep their rows in stored ones.</summary>
        public bool IsStoredTable => Type == "table" && Stored;

        public bool UsesSequence => IsStoredTable && Sql is not null && Sql.Contains("AUTOINCREMENT", StringComparison.OrdinalIgnoreCase);

        public static SchemaObject Read(SqlValue[] row) => new(
            row[0].Text, row[1].Text, row[2].Kind == SqlValueKind.Text ? row[2].Text : null, row[3].Integer == 1, row[4].Text);
    }

    /// <summary>Where one replica's reading of a table stands.</summary>
    private sealed class TableReader(Replica replica, TablePaging paging)
    {
        private SqlValue[]? _after;

        public Replica Replica { get; } = replica;

        public TablePaging Paging { get; } = paging;

        public IReadOnlyList<string> Columns { get; private set; } = [];

        /// <summary>The first rows, without the key in front.</summary>
        public List<SqlValue[]> Shown { get; } = [];

        public NodeRequest NextPage(int rowsMax) => Paging.Page(_after, rowsMax);

        public void Take(RowsAnswer page, int shownMax)
        {
            var keys = Paging.KeyNames.Count;
            Columns = [.. page.Columns.Skip(keys)];
            Shown.AddRange(page.Rows.Take(shownMax - Shown.Count).Select(row => row[keys..]));
            if (page.Rows.Count > 0)
            {
                _after = Paging.KeyOf(page.Rows[^1]);
            }
        }
    }
}
