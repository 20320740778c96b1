using System.Globalization;
using System.Text;
using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>How all rows of a table are read for a comparison: in the order of its own tree, whatever indexes there are.</summary>
/// <param name="Name">The table.</param>
/// <param name="Sql">A query whose first columns are the key, and which has every stored value of the row.</param>
/// <param name="KeyColumnCount">How many columns the key has: the rowid, or the primary key of a table without rowids.</param>
/// <param name="Labels">For people: names and positions in the query of what tells rows apart, which is the primary key where there is one.</param>
internal sealed record TableScan(string Name, string Sql, int KeyColumnCount, IReadOnlyList<(string Name, int Column)> Labels)
{
    private const string StateTable = "_distdb_state";

    private static readonly string[] _rowidNames = ["rowid", "_rowid_", "oid"];

    /// <summary>The scans of all tables of a database: those of users, those behind virtual tables, SQLite's own and the cluster's.</summary>
    public static List<TableScan> All(Connection connection)
    {
        List<TableScan> scans =
        [
            // Ours is the software's business, and may differ while versions do.
            new(
                PinnedContent.SchemaName,
                $"SELECT type, name, tbl_name, sql FROM main.sqlite_master WHERE substr(tbl_name, 1, 8) <> '{InternalSchema.Prefix}' COLLATE NOCASE ORDER BY type, name",
                2,
                [("type", 0), ("name", 1)]),
        ];
        List<(string Name, bool HasRowid)> tables = [];
        using (var list = connection.CreateInternal(
            "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'shadow') AND name <> 'sqlite_schema' ORDER BY name"))
        {
            while (list.Step())
            {
                tables.Add((list.Text(0), list.Integer(1) == 0));
            }
        }

        scans.AddRange(tables.Select(t => t.Name == StateTable ? State() : Of(connection, t.Name, t.HasRowid)));
        return scans;
    }

    /// <summary>The row's key as SQL would say it.</summary>
    public string LabelOf(InternalStatement row)
    {
        var label = new StringBuilder();
        foreach (var (name, column) in Labels)
        {
            label.Append(label.Length == 0 ? "" : ", ").Append(name).Append(" = ").Append(Literal(row.Value(column)));
        }

        return label.ToString();
    }

    /// <summary>Without what is not content: the position of the last write within an entry, and the membership, which is the log's.</summary>
    private static TableScan State() =>
        new(StateTable, $"SELECT id, applied_index, time_ms, cluster_id, master_node FROM {StateTable}", 1, [("id", 0)]);

    private static TableScan Of(Connection connection, string table, bool hasRowid)
    {
        List<(string Name, bool IsStored)> columns = [];
        var primaryKey = new SortedDictionary<long, string>();
        using (var list = connection.CreateInternal("SELECT name, pk, hidden FROM pragma_table_xinfo(?1)"))
        {
            list.Bind(1, table);
            while (list.Step())
            {
                // 2: a generated column that is computed when it is read, from others that are compared.
                columns.Add((list.Text(0), list.Integer(2) != 2));
                if (list.Integer(1) > 0)
                {
                    primaryKey.Add(list.Integer(1), list.Text(0));
                }
            }
        }

        // Columns may be named like the rowid, and then hide it; where they hide it under all its names, the row itself is its key.
        var rowid = _rowidNames.FirstOrDefault(r => !columns.Exists(c => c.Name.Equals(r, StringComparison.OrdinalIgnoreCase)));
        string[] stored = [.. columns.Where(c => c.IsStored).Select(c => c.Name)];
        string[] key = hasRowid ? rowid is null ? stored : [rowid] : [.. primaryKey.Values];
        (string, int)[] labels = primaryKey.Count > 0
            ? [.. primaryKey.Values.Select(name => (name, key.Length + Array.IndexOf(stored, name)))]
            : hasRowid && rowid is not null ? [(rowid, 0)] : [.. stored.Select((name, i) => (name, i))];
        var selected = string.Join(", ", key.Concat(stored).Select(SqlName.Quote));
        return new(table, $"SELECT {selected} FROM main.{SqlName.Quote(table)} NOT INDEXED", key.Length, labels);
    }

    private static string Literal(SqlValue value)
    {
        const int LengthMax = 80;
        var text = value.Kind switch
        {
            SqlValueKind.Text => $"'{value.Text.Replace("'", "''", StringComparison.Ordinal)}'",
            SqlValueKind.Real => value.Real.ToString("R", CultureInfo.InvariantCulture),
            _ => value.ToString(),
        };
        return text.Length <= LengthMax ? text : $"{text[..LengthMax]}...";
    }
}
