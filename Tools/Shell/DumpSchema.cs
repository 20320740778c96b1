using DistDb.Node.Commands;

namespace DistDb.Tools.Shell;

/// <summary>Something that a user defined.</summary>
/// <param name="Type"><c>table</c>, <c>index</c>, <c>view</c> or <c>trigger</c>.</param>
/// <param name="Name">Its name.</param>
/// <param name="Table">The table that it belongs to.</param>
/// <param name="Sql">How it was defined.</param>
/// <param name="IsVirtual">A table that a module serves.</param>
internal sealed record DumpObject(string Type, string Name, string Table, string Sql, bool IsVirtual);

/// <summary>A table whose rows are dumped.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Columns">What to read and to insert, as SQL: the rowid where no column has it, and what is not computed.</param>
internal sealed record DumpTable(string Name, IReadOnlyList<string> Columns);

/// <summary>What is defined in a database, and in which order it can be made again.</summary>
internal sealed class DumpSchema
{
    /// <summary>Also sent with the rows, so that both are known to be of one commit.</summary>
    public const string ObjectsSql =
        """
        SELECT m.type, m.name, m.tbl_name, m.sql, m.rootpage = 0 FROM sqlite_master AS m
        WHERE m.sql IS NOT NULL AND m.name NOT LIKE 'sqlite\_%' ESCAPE '\' AND substr(m.tbl_name, 1, 8) <> '_distdb_' COLLATE NOCASE
            AND m.tbl_name NOT IN (SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow')
        """;

    private const string ColumnsSql =
        """
        SELECT list.name, info.name, info.pk, upper(info.type), info.hidden, list.wr,
            EXISTS (SELECT 1 FROM pragma_index_list(list.name) WHERE origin = 'pk')
        FROM pragma_table_list AS list, pragma_table_xinfo(list.name) AS info
        WHERE list.schema = 'main' AND list.type IN ('table', 'virtual') AND substr(list.name, 1, 8) <> '_distdb_' COLLATE NOCASE ORDER BY list.name, info.cid
        """;

    private const string ReferencesSql =
        """
        SELECT DISTINCT list.name, keys."table" FROM pragma_table_list AS list, pragma_foreign_key_list(list.name) AS keys
        WHERE list.schema = 'main' AND list.type = 'table' AND substr(list.name, 1, 8) <> '_distdb_' COLLATE NOCASE
        """;

    private static readonly string[] _rowIdNames = ["rowid", "_rowid_", "oid"];

    private readonly Dictionary<string, SqlValue[][]> _columns;
    private readonly ILookup<string, string> _references;

    private DumpSchema(IReadOnlyList<DumpObject> objects, Dictionary<string, SqlValue[][]> columns, ILookup<string, string> references, IReadOnlyList<string> own)
    {
        _columns = columns;
        _references = references;
        Objects = objects;
        HasSequences = own.Contains("sqlite_sequence");
        HasStatistics = own.Contains("sqlite_stat1");
        StoredTables = Order([.. objects.Where(o => o is { Type: "table", IsVirtual: false })]);
        VirtualTables = [.. objects.Where(o => o is { Type: "table", IsVirtual: true })];
    }

    public IReadOnlyList<DumpObject> Objects { get; }

    /// <summary>Those that others refer to by foreign keys come first.</summary>
    public IReadOnlyList<DumpObject> StoredTables { get; }

    public IReadOnlyList<DumpObject> VirtualTables { get; }

    /// <summary>Whether there are counters of AUTOINCREMENT.</summary>
    public bool HasSequences { get; }

    /// <summary>Whether ANALYZE was run.</summary>
    public bool HasStatistics { get; }

    /// <summary>A table that refers to itself in the end by way of others, so that no order is right; null without any.</summary>
    public string? Cycle { get; private set; }

    public static async Task<DumpSchema> ReadAsync(ShellSession session, CancellationToken cancellation)
    {
        var objects = await session.QueryAsync($"{ObjectsSql} ORDER BY m.rowid", cancellation).ConfigureAwait(false);
        var columns = await session.QueryAsync(ColumnsSql, cancellation).ConfigureAwait(false);
        var references = await session.QueryAsync(ReferencesSql, cancellation).ConfigureAwait(false);
        var own = await session.QueryAsync("SELECT name FROM sqlite_master WHERE name IN ('sqlite_sequence', 'sqlite_stat1')", cancellation).ConfigureAwait(false);
        return new(
            [.. objects.Rows.Select(Read)],
            columns.Rows.GroupBy(row => row[0].Text).ToDictionary(group => group.Key, group => group.ToArray(), StringComparer.OrdinalIgnoreCase),
            references.Rows.ToLookup(row => row[0].Text, row => row[1].Text, StringComparer.OrdinalIgnoreCase),
            [.. own.Rows.Select(row => row[0].Text)]);
    }

    /// <summary>A row of <see cref="ObjectsSql"/>.</summary>
    public static DumpObject Read(SqlValue[] row) => new(
        row[0].Text, row[1].Text, row[2].Text, row[3].Text, row[0].Text == "table" && row[4] == SqlValue.From(1));

    /// <summary>Whether other tables refer to it.</summary>
    public bool IsReferred(string table) =>
        _references.Any(group => group.Contains(table, StringComparer.OrdinalIgnoreCase));

    /// <summary>What to read of a table.</summary>
    public DumpTable ColumnsOf(string table, bool withRowId)
    {
        var rows = _columns.GetValueOrDefault(table) ?? [];
        var names = rows.Where(row => row[4].Integer == 0).Select(row => SqlName.Quote(row[1].Text));
        var keys = rows.Where(row => row[2].Integer > 0).ToArray();
        var isRowId = keys is [var key] && key[3].Text == "INTEGER" && key[6].Integer == 0;
        var rowId = !withRowId || isRowId || rows is [var any, ..] && any[5].Integer != 0
            ? null
            : _rowIdNames.FirstOrDefault(name => !rows.Any(row => row[1].Text.Equals(name, StringComparison.OrdinalIgnoreCase)));
        return new(table, rowId is null ? [.. names] : [rowId, .. names]);
    }

    /// <summary>What serves a virtual table, in lower case, and what it says about where its content is: null for nothing, empty for nowhere.</summary>
    public static (string Module, string? Content) ModuleOf(DumpObject table)
    {
        var tokens = new SqlTokens(table.Sql);
        while (!tokens.AtEnd && !tokens.IsWord("USING"))
        {
            tokens.Take();
        }

        tokens.TakeWord("USING");
        var module = tokens.Take().Text.ToLowerInvariant();
        while (!tokens.AtEnd)
        {
            if (tokens.TakeWord("content") && tokens.TakeSymbol('='))
            {
                return (module, tokens.Take().Text);
            }

            if (!tokens.AtEnd)
            {
                tokens.Take();
            }
        }

        return (module, null);
    }

    private List<DumpObject> Order(IReadOnlyList<DumpObject> tables)
    {
        var ordered = new List<DumpObject>();
        var done = new Dictionary<string, bool>(StringComparer.OrdinalIgnoreCase);
        foreach (var table in tables.Where(table => !done.ContainsKey(table.Name)))
        {
            Visit(table);
        }

        return ordered;

        void Visit(DumpObject table)
        {
            done[table.Name] = false;
            foreach (var name in _references[table.Name].Where(name => !name.Equals(table.Name, StringComparison.OrdinalIgnoreCase)))
            {
                var other = tables.FirstOrDefault(one => one.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
                if (other is null)
                {
                    continue;
                }

                if (!done.TryGetValue(name, out var isDone))
                {
                    Visit(other);
                }
                else if (!isDone)
                {
                    Cycle = table.Name;
                }
            }

            done[table.Name] = true;
            ordered.Add(table);
        }
    }
}
