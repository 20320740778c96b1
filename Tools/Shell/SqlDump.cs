using System.Globalization;
using System.Text;
using DistDb.Node.Commands;

namespace DistDb.Tools.Shell;

/// <summary>
/// Writes SQL that makes a database again, for this shell and for SQLite's own. All rows come from one SELECT, so that they are of one commit,
/// and pass through as they come. What others need stands before them; indexes and triggers come last, so that they do not work twice.
/// </summary>
internal sealed class SqlDump(ShellSession session, TextWriter output) : IRowsSink
{
    /// <summary>SQLite takes no more of them than 500 in one SELECT.</summary>
    private const int TablesOfSelect = 480;

    /// <summary>Statements of this length load fast, and are far from any limit.</summary>
    private const int StatementChars = 65_536;

    private const int SchemaTries = 5;

    private readonly StringBuilder _insert = new();
    private DumpSchema _schema = null!;
    private List<DumpTable> _tables = [];
    private List<DumpObject> _seen = [];
    private int _table;
    private int _insertTable;
    private bool _hasBegun;

    /// <exception cref="ShellException">It cannot be dumped whole; what was written says so at its end.</exception>
    /// <exception cref="NodeException">The same.</exception>
    public async Task RunAsync(CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            _schema = await DumpSchema.ReadAsync(session, cancellation).ConfigureAwait(false);
            try
            {
                await DumpAsync(cancellation).ConfigureAwait(false);
                await output.FlushAsync(cancellation).ConfigureAwait(false);
                return;
            }
            catch (SchemaChangedException) when (attempt < SchemaTries)
            {
                // Nothing was written yet.
            }
            catch (SchemaChangedException)
            {
                throw new ShellException("The schema changes all the time, so that it cannot be dumped; try again when it rests.");
            }
            catch when (_hasBegun)
            {
                WriteLine("-- INCOMPLETE: the dump ended before its end. Do not use it.");
                await output.FlushAsync(CancellationToken.None).ConfigureAwait(false);
                throw;
            }
        }
    }

    void IRowsSink.Begin(IReadOnlyList<string> columns)
    {
        // Begins anew at another node, when one dies before the first row.
        _seen = [];
        _table = -1;
    }

    void IRowsSink.Add(SqlValue[] row)
    {
        var table = (int)row[0].Integer;
        if (table < 0)
        {
            _seen.Add(DumpSchema.Read(row[1..]));
            return;
        }

        if (table != _table)
        {
            Begin();
            _table = table;
        }

        AddRow(table, row);
    }

    private async Task DumpAsync(CancellationToken cancellation)
    {
        List<DumpTable> tables = [.. _schema.StoredTables.Select(table => _schema.ColumnsOf(table.Name, withRowId: true))];
        List<string> rebuilt = [];
        foreach (var table in _schema.VirtualTables)
        {
            switch (DumpSchema.ModuleOf(table))
            {
                case ("fts3" or "fts4" or "fts5", { Length: > 0 }):
                    rebuilt.Add(table.Name);
                    break;
                case ("fts3" or "fts4" or "fts5", null) or ("geopoly", _):
                    tables.Add(_schema.ColumnsOf(table.Name, withRowId: true));
                    break;
                case ("rtree" or "rtree_i32", _):
                    tables.Add(_schema.ColumnsOf(table.Name, withRowId: false));
                    break;
                case ("fts3" or "fts4" or "fts5", ""):
                    session.Warn($"The table {table.Name} keeps no content (content=''), so it is dumped empty.");
                    break;
            }
        }

        if (_schema.HasSequences)
        {
            tables.Add(new("sqlite_sequence", ["name", "seq"]));
        }

        _tables = tables;
        _hasBegun = false;
        if (tables.Count > TablesOfSelect)
        {
            session.Warn("The database has so many tables that their rows are not all of one commit where writes come in meanwhile.");
        }

        var first = 0;
        do
        {
            var request = session.Fill(NodeRequest.Query(Select(first)));
            await session.AskAsync(node => RunOnAsync(node, request, cancellation), cancellation).ConfigureAwait(false);
            Begin();
            EndInsert();
            first += TablesOfSelect;
        }
        while (first < tables.Count);

        foreach (var table in rebuilt)
        {
            WriteLine($"INSERT INTO {SqlName.Quote(table)} ({SqlName.Quote(table)}) VALUES ('rebuild');");
        }

        foreach (var type in new[] { "index", "view", "trigger" })
        {
            foreach (var one in _schema.Objects.Where(one => one.Type == type && !IsNeededFirst(one)))
            {
                WriteLine($"{one.Sql};");
            }
        }

        if (_schema.HasStatistics)
        {
            WriteLine("ANALYZE;");
        }
    }

    private async Task<StatementAnswer> RunOnAsync(Uri node, NodeRequest request, CancellationToken cancellation)
    {
        try
        {
            return await session.Cluster.Client.RunAsync(node, request, this, cancellation).ConfigureAwait(false);
        }
        catch (NodeUnreachableException e) when (_hasBegun)
        {
            // Not asked of another node: what was written cannot be taken back.
            throw new ShellException($"The dump is not complete, for the rows broke off: {e.Reason}. Where it took as long as the node's time limit (--timeout), give the node a longer one.");
        }
    }

    /// <summary>All rows of some tables as one SELECT, each with its table's position in front, and before them what is defined.</summary>
    private string Select(int first)
    {
        var tables = _tables.Skip(first).Take(TablesOfSelect).ToArray();
        var width = tables.Select(table => table.Columns.Count).Append(5).Max();
        var sql = new StringBuilder().Append(CultureInfo.InvariantCulture, $"SELECT -1, * {Nulls(5)} FROM ({DumpSchema.ObjectsSql} ORDER BY m.rowid)");
        for (var i = 0; i < tables.Length; i++)
        {
            // By an index rows would come in another order than that of their keys.
            var isStored = _schema.StoredTables.Any(table => table.Name == tables[i].Name);
            sql.Append(
                CultureInfo.InvariantCulture,
                $" UNION ALL SELECT {first + i}, {string.Join(", ", tables[i].Columns)} {Nulls(tables[i].Columns.Count)} FROM {SqlName.Quote(tables[i].Name)}{(isStored ? " NOT INDEXED" : "")}");
        }

        return sql.ToString();

        string Nulls(int columns) => string.Concat(Enumerable.Repeat(", NULL", width - columns));
    }

    /// <summary>Writes what is defined, once it is known to be what the rows belong to.</summary>
    private void Begin()
    {
        if (_hasBegun)
        {
            return;
        }

        if (!_seen.SequenceEqual(_schema.Objects))
        {
            throw new SchemaChangedException();
        }

        _hasBegun = true;
        WriteLine($"-- The database {session.Database}, as distdb shell dumps it.");
        if (_schema.Cycle is { } cycle)
        {
            WriteLine($"-- The table {cycle} refers to itself by way of others: load this WITH foreign_keys = off.");
        }

        foreach (var table in _schema.StoredTables.Concat(_schema.VirtualTables).Concat(_schema.Objects.Where(IsNeededFirst)))
        {
            WriteLine($"{table.Sql};");
        }
    }

    /// <summary>Foreign keys may rely on a unique index.</summary>
    private bool IsNeededFirst(DumpObject one) =>
        one.Type == "index" && one.Sql.StartsWith("CREATE UNIQUE", StringComparison.OrdinalIgnoreCase) && _schema.IsReferred(one.Table);

    private void AddRow(int position, SqlValue[] row)
    {
        var table = _tables[position];
        if (table.Name == "sqlite_sequence")
        {
            EndInsert();
            if (!row[1].ToString().StartsWith("_distdb_", StringComparison.OrdinalIgnoreCase))
            {
                WriteLine($"DELETE FROM sqlite_sequence WHERE name = {SqlLiteral.Of(row[1])};");
                WriteLine($"INSERT INTO sqlite_sequence (name, seq) VALUES ({SqlLiteral.Of(row[1])}, {SqlLiteral.Of(row[2])});");
            }

            return;
        }

        var start = $"INSERT INTO {SqlName.Quote(table.Name)} ({string.Join(", ", table.Columns)}) VALUES";
        if (_insert.Length > StatementChars || (_insert.Length > 0 && _insertTable != position))
        {
            EndInsert();
        }

        _insertTable = position;
        _insert.Append(_insert.Length == 0 ? start + "\n(" : ",\n(");
        _insert.AppendJoin(", ", row.Skip(1).Take(table.Columns.Count).Select(SqlLiteral.Of)).Append(')');
    }

    private void EndInsert()
    {
        if (_insert.Length > 0)
        {
            WriteLine(_insert.Append(';').ToString());
            _insert.Clear();
        }
    }

    private void WriteLine(string line)
    {
        try
        {
            output.Write(line);
            output.Write('\n');
        }
        catch (IOException e)
        {
            // Said here, since further out it would look like a connection's.
            throw new ShellException($"The dump cannot be written: {e.Message}");
        }
    }

    private sealed class SchemaChangedException : Exception;
}
