using DistDb.Node.Commands;

namespace DistDb.Node.Database.Changes;

/// <summary>A table as its changes tell of it: which values of a row are stored, and what tells rows apart.</summary>
internal sealed class ChangedTable
{
    private const byte FlagHasRowid = 1;
    private const byte FlagReal = 1;
    private const byte FlagRowid = 2;
    private const byte FlagLost = 4;

    private static readonly string[] _rowidNames = ["rowid", "_rowid_", "oid"];

    private readonly byte[] _form;

    private ChangedTable(string name, bool hasRowid, string rowidName, Column[] columns, int[] key)
    {
        Name = name;
        HasRowid = hasRowid;
        RowidName = rowidName;
        Columns = columns;
        Key = key;
        var form = new WireWriter();
        Write(form);
        _form = form.ToArray();
    }

    public string Name { get; }

    public bool HasRowid { get; }

    /// <summary>By which name SQL reaches the rowid, where the table has one.</summary>
    public string RowidName { get; }

    /// <summary>All that are stored, in the table's order. Generated columns that are computed when they are read are not among them.</summary>
    public IReadOnlyList<Column> Columns { get; }

    /// <summary>The primary key, as positions in <see cref="Columns"/>; none where the rowid is the key.</summary>
    public IReadOnlyList<int> Key { get; }

    /// <summary>Its number within the entry that is captured, for whoever captures.</summary>
    public int Id { get; set; } = -1;

    /// <summary>Whether another says the same in every respect.</summary>
    public bool HasFormOf(ChangedTable other) => _form.AsSpan().SequenceEqual(other._form);

    /// <summary>All tables of a database whose changes are of interest: not those that belong to SQLite, to a virtual table or to the cluster.</summary>
    /// <exception cref="StorageFailedException">The schema cannot be read.</exception>
    public static List<ChangedTable> LoadAll(Connection connection)
    {
        List<(string Name, bool HasRowid)> names = [];
        using (var list = connection.CreateInternal("SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table'"))
        {
            while (list.Step())
            {
                if (list.Text(0) is var name && !IsInternal(name))
                {
                    names.Add((name, list.Integer(1) == 0));
                }
            }
        }

        using var columns = connection.CreateInternal("SELECT name, type, pk, hidden FROM pragma_table_xinfo(?1)");

        // Where the primary key is not the rowid itself, SQLite keeps an index for it. The type does not tell: INTEGER PRIMARY KEY DESC is none.
        using var keyIndex = connection.CreateInternal("SELECT 1 FROM pragma_index_list(?1) WHERE origin = 'pk'");
        return names.ConvertAll(t => Load(t.Name, t.HasRowid, columns, keyIndex));
    }

    private static ChangedTable Load(string name, bool hasRowid, InternalStatement list, InternalStatement keyIndex)
    {
        List<(string Name, string Type, int KeyPosition, bool IsStored)> all = [];
        list.Bind(1, name);
        while (list.Step())
        {
            // 2: a generated column that is computed when it is read.
            all.Add((list.Text(0), list.Text(1), (int)list.Integer(2), list.Integer(3) != 2));
        }

        var hasKeyIndex = keyIndex.Bind(1, name).Step();
        keyIndex.Reset();
        var keyCount = all.Count(c => c.KeyPosition > 0);
        var rowidColumn = hasRowid && keyCount == 1 && !hasKeyIndex ? all.FindIndex(c => c.KeyPosition > 0) : -1;
        List<Column> columns = [];
        var key = new int[keyCount];
        for (var i = 0; i < all.Count; i++)
        {
            var (column, type, keyPosition, isStored) = all[i];
            if (!isStored)
            {
                continue;
            }

            if (keyPosition > 0)
            {
                key[keyPosition - 1] = columns.Count;
            }

            columns.Add(new(column, Affinities.Of(type) == Affinity.Real, IsRowid: i == rowidColumn, IsLost: !PreupdateHook.CountsAllColumns && rowidColumn >= 0 && i != rowidColumn && columns.Count == rowidColumn)
            {
                Position = hasRowid && !PreupdateHook.CountsAllColumns ? columns.Count : i,
                UpdatePosition = PreupdateHook.CountsAllColumns ? i : columns.Count,
            });
        }

        var rowidName = _rowidNames.FirstOrDefault(r => !all.Exists(c => c.Name.Equals(r, StringComparison.OrdinalIgnoreCase))) ?? _rowidNames[0];
        return new(name, hasRowid, rowidName, [.. columns], key);
    }

    /// <summary>Whether a table is SQLite's own or the cluster's.</summary>
    public static bool IsInternal(string name) =>
        name.StartsWith("sqlite_", StringComparison.OrdinalIgnoreCase) || name.StartsWith(InternalSchema.Prefix, StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// <code>
    /// table   name: text, flags: byte (1 has a rowid), rowid name: text, count, count x column, count, count x key column: unsigned
    /// column  name: text, flags: byte (1 real, 2 the rowid, 4 lost)
    /// </code>
    /// </summary>
    public void Write(WireWriter writer)
    {
        writer.WriteText(Name);
        writer.WriteByte(HasRowid ? FlagHasRowid : (byte)0);
        writer.WriteText(RowidName);
        writer.WriteUnsigned((ulong)Columns.Count);
        foreach (var column in Columns)
        {
            writer.WriteText(column.Name);
            writer.WriteByte((byte)((column.IsReal ? FlagReal : 0) | (column.IsRowid ? FlagRowid : 0) | (column.IsLost ? FlagLost : 0)));
        }

        writer.WriteUnsigned((ulong)Key.Count);
        foreach (var column in Key)
        {
            writer.WriteUnsigned((ulong)column);
        }
    }

    /// <exception cref="InvalidDataException">The bytes are damaged.</exception>
    public static ChangedTable Read(ref WireReader reader)
    {
        var name = reader.ReadText();
        var hasRowid = (reader.ReadByte() & FlagHasRowid) != 0;
        var rowidName = reader.ReadText();
        var columns = new Column[reader.ReadCount()];
        for (var i = 0; i < columns.Length; i++)
        {
            var column = reader.ReadText();
            var flags = reader.ReadByte();
            columns[i] = new(column, (flags & FlagReal) != 0, (flags & FlagRowid) != 0, (flags & FlagLost) != 0);
        }

        var key = new int[reader.ReadCount()];
        for (var i = 0; i < key.Length; i++)
        {
            var position = reader.ReadUnsigned();
            key[i] = position < (ulong)columns.Length ? (int)position : throw new InvalidDataException($"A key column {position} of {columns.Length}.");
        }

        return new(name, hasRowid, rowidName, columns, key);
    }

    /// <param name="Name">Its name.</param>
    /// <param name="IsReal">SQLite stores its whole numbers as integers, and shows them as reals.</param>
    /// <param name="IsRowid">It is another name of the rowid.</param>
    /// <param name="IsLost">
    /// SQLite 3.40 cannot tell its value: where a generated column that is not stored stands before an INTEGER PRIMARY KEY, the hook gives the rowid in its place.
    /// </param>
    public sealed record Column(string Name, bool IsReal, bool IsRowid, bool IsLost)
    {
        /// <summary>By which number SQLite's hook knows it; for the new values of an update, where that is another one, see <see cref="UpdatePosition"/>.</summary>
        public int Position { get; init; }

        public int UpdatePosition { get; init; }

        /// <summary>Whether its values are among those of a change: the rowid is told by itself.</summary>
        public bool IsTold => !IsRowid && !IsLost;
    }
}
