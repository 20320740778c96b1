using DistDb.Node.Commands;

namespace DistDb.Tools;

/// <summary>
/// How to read a table of any size in pages: by its key, each page from where the last one ended. Pages keep a node's answers, and its
/// memory, small. Each row carries its key in front of its columns.
/// </summary>
internal sealed class TablePaging
{
    private static readonly string[] _rowIdNames = ["rowid", "_rowid_", "oid"];

    private readonly string _table;
    private readonly string _keys;
    private readonly string _parameters;

    private TablePaging(string table, IReadOnlyList<string> keyNames, IReadOnlyList<string> keys)
    {
        _table = table;
        KeyNames = keyNames;
        _keys = string.Join(", ", keys);
        _parameters = string.Join(", ", keys.Select(_ => "?"));
    }

    /// <summary>The names of the key's columns: as many values stand in front of each row.</summary>
    public IReadOnlyList<string> KeyNames { get; }

    /// <summary>Looks up what identifies a row.</summary>
    /// <returns>Null for a table whose rowid is hidden by columns of all of its names.</returns>
    /// <exception cref="NodeException">The node does not tell.</exception>
    public static async Task<TablePaging?> CreateAsync(Func<NodeRequest, Task<RowsAnswer>> query, string table)
    {
        // The key's index of a table WITHOUT ROWID is the table itself, so it has no place of its own in sqlite_master.
        var keys = await query(NodeRequest.Query(
            """
            SELECT name,
                EXISTS (SELECT 1 FROM pragma_index_list(?1) AS list WHERE list.origin = 'pk' AND NOT EXISTS (
                    SELECT 1 FROM sqlite_master WHERE type = 'index' AND sqlite_master.name = list.name)),
                EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1 AND sql LIKE '%COLLATE%')
            FROM pragma_table_xinfo(?1) WHERE pk > 0 ORDER BY pk
            """,
            SqlValue.From(table))).ConfigureAwait(false);
        if (keys.Rows.Count > 0 && keys.Rows[0][1].Integer == 1)
        {
            // Pages must miss no row, and a column's own collation may call two rows equal whose keys differ. BINARY never does, but
            // named where it is the column's own anyway it would keep SQLite from finding a page by the key's index.
            var collation = keys.Rows[0][2].Integer == 1 ? " COLLATE BINARY" : "";
            var names = keys.Rows.Select(row => row[0].Text).ToArray();
            return new(table, names, Array.ConvertAll(names, name => SqlName.Quote(name) + collation));
        }

        var columns = await query(NodeRequest.Query($"SELECT * FROM {SqlName.Quote(table)} LIMIT 0")).ConfigureAwait(false);
        var rowId = _rowIdNames.FirstOrDefault(name => !columns.Columns.Contains(name, StringComparer.OrdinalIgnoreCase));
        return rowId is null ? null : new(table, [rowId], [rowId]);
    }

    /// <summary>The next rows in the order of their keys.</summary>
    /// <param name="after">The key of the last row seen, or null to begin.</param>
    /// <param name="rowsMax">At most this many.</param>
    public NodeRequest Page(IReadOnlyList<SqlValue>? after, int rowsMax)
    {
        var condition = after is null ? "" : $"WHERE ({_keys}) > ({_parameters})";
        return NodeRequest.Query(
            $"SELECT {_keys}, * FROM {SqlName.Quote(_table)} {condition} ORDER BY {_keys} LIMIT ?",
            [.. after ?? [], SqlValue.From(rowsMax)]);
    }

    public NodeRequest Count() => NodeRequest.Query($"SELECT count(*) FROM {SqlName.Quote(_table)}");

    public SqlValue[] KeyOf(SqlValue[] row) => row[..KeyNames.Count];

    /// <summary>A row's key for people, e.g. <c>rowid 17</c>.</summary>
    public string Show(SqlValue[] row) =>
        string.Join(", ", KeyNames.Zip(row, (name, value) => $"{name} {ToolConsole.Show(value, quoted: true)}"));
}
