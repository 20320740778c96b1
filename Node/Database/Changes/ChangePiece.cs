using DistDb.Node.Commands;

namespace DistDb.Node.Database.Changes;

/// <summary>
/// Some changes of one entry, as they are stored.
/// <code>
/// piece   layout: byte (1), count, count x (number: unsigned, table), change ... to the end
/// change  kind: byte (ChangeKind), then
///         write   ordinal: unsigned, key: text (empty for none)
///         insert  table: unsigned, [rowid: signed], row
///         update  as insert
///         move    table: unsigned, [old rowid: signed], old key, [rowid: signed], row
///         delete  table: unsigned, [rowid: signed], key
///         schema  operation: text, name: text (empty for none), sql: text
/// row     value x the table's columns, without the rowid's and those that are lost
/// key     value x the key's columns, likewise
/// </code>
/// </summary>
/// <param name="Position">Its place; the last of an entry has the entry as a whole.</param>
/// <param name="Number">Which piece of the entry it is, from 0.</param>
/// <param name="TimeMs">The entry's time.</param>
/// <param name="Bytes">The layout above.</param>
public sealed record ChangePiece(ChangePosition Position, int Number, long TimeMs, ReadOnlyMemory<byte> Bytes)
{
    internal const byte Layout = 1;

    /// <summary>What is in it, in the order in which it was done.</summary>
    /// <exception cref="InvalidDataException">The bytes are damaged, or a later version wrote them.</exception>
    public List<Change> Read()
    {
        var reader = new WireReader(Bytes.Span);
        if (reader.ReadByte() is var layout && layout != Layout)
        {
            throw new InvalidDataException($"Changes in layout {layout}; a newer version may have written them.");
        }

        var tables = new Dictionary<ulong, ChangedTable>();
        for (var left = reader.ReadCount(); left > 0; left--)
        {
            tables.Add(reader.ReadUnsigned(), ChangedTable.Read(ref reader));
        }

        List<Change> changes = [];
        var write = 0;
        string? id = null;
        while (!reader.AtEnd)
        {
            switch ((ChangeKind)reader.ReadByte())
            {
                case ChangeKind.Write:
                    write = (int)reader.ReadUnsigned();
                    id = reader.ReadText() is { Length: > 0 } key ? key : null;
                    break;
                case ChangeKind.Insert:
                    changes.Add(ReadRow(ref reader, TableOf(ref reader, tables), write, id, Change.Insert, hasOldKey: false));
                    break;
                case ChangeKind.Update:
                    changes.Add(ReadRow(ref reader, TableOf(ref reader, tables), write, id, Change.Update, hasOldKey: false));
                    break;
                case ChangeKind.Move:
                    changes.Add(ReadRow(ref reader, TableOf(ref reader, tables), write, id, Change.Update, hasOldKey: true));
                    break;
                case ChangeKind.Delete:
                    var table = TableOf(ref reader, tables);
                    changes.Add(new(write, id, Change.Delete, table.Name) { Key = ReadKey(ref reader, table) });
                    break;
                case ChangeKind.Schema:
                    changes.Add(new(write, id, Change.Schema, null)
                    {
                        Statement = reader.ReadText(),
                        Name = reader.ReadText() is { Length: > 0 } name ? name : null,
                        Sql = reader.ReadText(),
                    });
                    break;
                case var kind:
                    throw new InvalidDataException($"A change of kind {(byte)kind}.");
            }
        }

        return changes;
    }

    /// <summary>Goes past one change.</summary>
    /// <returns>What it is, and the number of its table, or -1.</returns>
    internal static (ChangeKind Kind, int Table) Skip(ref WireReader reader, IReadOnlyList<ChangedTable> tables)
    {
        var kind = (ChangeKind)reader.ReadByte();
        switch (kind)
        {
            case ChangeKind.Write:
                _ = reader.ReadUnsigned();
                SkipText(ref reader);
                return (kind, -1);
            case ChangeKind.Schema:
                SkipText(ref reader);
                SkipText(ref reader);
                SkipText(ref reader);
                return (kind, -1);
            default:
                var number = (int)reader.ReadUnsigned();
                var table = tables[number];
                if (kind is ChangeKind.Move or ChangeKind.Delete)
                {
                    SkipValues(ref reader, table, table.Key.Count(k => table.Columns[k].IsTold));
                }

                if (kind is not ChangeKind.Delete)
                {
                    SkipValues(ref reader, table, table.Columns.Count(c => c.IsTold));
                }

                return (kind, number);
        }
    }

    private static void SkipValues(ref WireReader reader, ChangedTable table, int count)
    {
        if (table.HasRowid)
        {
            _ = reader.ReadUnsigned();
        }

        for (; count > 0; count--)
        {
            switch ((SqlValueKind)reader.ReadByte())
            {
                case SqlValueKind.Integer:
                    _ = reader.ReadUnsigned();
                    break;
                case SqlValueKind.Real:
                    _ = reader.ReadFixed64();
                    break;
                case SqlValueKind.Text or SqlValueKind.Blob:
                    SkipText(ref reader);
                    break;
            }
        }
    }

    private static void SkipText(ref WireReader reader) => _ = reader.ReadRaw(reader.ReadCount());

    private static ChangedTable TableOf(ref WireReader reader, Dictionary<ulong, ChangedTable> tables) =>
        reader.ReadUnsigned() is var number && tables.TryGetValue(number, out var table) ? table : throw new InvalidDataException($"A change of a table {number}, which is not told of.");

    private static Change ReadRow(ref WireReader reader, ChangedTable table, int write, string? id, string operation, bool hasOldKey)
    {
        var oldKey = hasOldKey ? ReadKey(ref reader, table) : null;
        var rowid = table.HasRowid ? reader.ReadSigned() : 0;
        List<(string Name, SqlValue Value)> values = new(table.Columns.Count);
        var all = new SqlValue[table.Columns.Count];
        for (var i = 0; i < all.Length; i++)
        {
            var column = table.Columns[i];
            if (!column.IsLost)
            {
                all[i] = column.IsRowid ? SqlValue.From(rowid) : ReadValue(ref reader, column);
                values.Add((column.Name, all[i]));
            }
        }

        var key = KeyOf(table, rowid, table.Key.Select(k => all[k]));
        return new(write, id, operation, table.Name) { Key = key, OldKey = oldKey, Values = values };
    }

    private static List<(string Name, SqlValue Value)> ReadKey(ref WireReader reader, ChangedTable table)
    {
        var rowid = table.HasRowid ? reader.ReadSigned() : 0;
        List<SqlValue> values = [];
        foreach (var position in table.Key)
        {
            var column = table.Columns[position];
            values.Add(column.IsRowid ? SqlValue.From(rowid) : column.IsLost ? SqlValue.Null : ReadValue(ref reader, column));
        }

        return KeyOf(table, rowid, values);
    }

    private static List<(string Name, SqlValue Value)> KeyOf(ChangedTable table, long rowid, IEnumerable<SqlValue> values)
    {
        List<(string Name, SqlValue Value)> key = [.. table.Key.Zip(values, (k, value) => (table.Columns[k].Name, value))];
        if (table.HasRowid && (key.Count == 0 || key.Exists(k => k.Value.Kind == SqlValueKind.Null)))
        {
            // NULLs are not equal to each other, and SQLite takes them in a primary key.
            key.Add((table.RowidName, SqlValue.From(rowid)));
        }

        return key;
    }

    private static SqlValue ReadValue(ref WireReader reader, ChangedTable.Column column) => LogCommandCodec.ReadValue(ref reader) switch
    {
        { Kind: SqlValueKind.Integer, Integer: var integer } when column.IsReal => SqlValue.From((double)integer),
        var value => value,
    };
}
