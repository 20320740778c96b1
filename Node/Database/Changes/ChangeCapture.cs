using System.Runtime.InteropServices;
using System.Text;
using DistDb.Node.Commands;
using DistDb.Node.Database.Native;

namespace DistDb.Node.Database.Changes;

/// <summary>
/// What the open entry has changed in a database so far, row by row, in the order in which it happened (docs/adr/0019). SQLite tells of each row just before it changes. What is undone, whether
/// a statement, a savepoint or a write, is cut off again by whoever undoes it.
/// <para>
/// It must come out the same on the leader, which also executes what fails, and on replicas, whatever these have in memory. So which tables are named, and by which number, follows from the
/// changes that are left.
/// </para>
/// </summary>
internal sealed unsafe class ChangeCapture(Connection connection)
{
    /// <summary>What one write may change, in bytes of captured changes, which are held in memory. Of one that changes more nothing is kept, nor of what was before it.</summary>
    public const int WriteBytesMax = 64 << 20;

    /// <summary>Memory that is kept for the next entry, and for the next key; more is for a burst.</summary>
    private const int KeptBytes = 1 << 20;

    private const int ActionDelete = 9;
    private const int ActionInsert = 18;

    private WireWriter _buffer = new();
    private WireWriter _oldKey = new();
    private WireWriter _newKey = new();
    private readonly List<ChangedTable> _used = [];
    private Dictionary<string, ChangedTable>? _tables;
    private byte[] _lastName = [];
    private ChangedTable? _last;
    private int _changeCount;
    private int _ordinal;
    private string? _key;
    private bool _isWriteNoted;
    private int _writeStart;
    private bool _hasOverflowed;
    private int _fault;

    /// <summary>Whether anything is captured now.</summary>
    public bool IsOn { get; private set; }

    /// <summary>Whether a write changed more than <see cref="WriteBytesMax"/>.</summary>
    public bool HasOverflowed => _hasOverflowed;

    /// <summary>How many changes are captured and not dropped yet.</summary>
    public int ChangeCount => _changeCount;

    /// <summary>The changes themselves: see <see cref="ChangePiece"/>.</summary>
    public ReadOnlySpan<byte> Changes => _buffer.Written.Span;

    /// <summary>The tables that they name, by number.</summary>
    public IReadOnlyList<ChangedTable> Tables => _used;

    /// <summary>Begins an entry.</summary>
    /// <param name="isOn">Whether its changes are wanted.</param>
    public void Begin(bool isOn)
    {
        Cut(default);
        BeginWrite(0, null);
        IsOn = isOn;
    }

    /// <summary>The entry is over, whatever came of it.</summary>
    public void End() => Begin(isOn: false);

    /// <summary>What is changed from now on belongs to this write.</summary>
    public void BeginWrite(int ordinal, string? key)
    {
        (_ordinal, _key, _isWriteNoted) = (ordinal, key, false);
        _writeStart = _buffer.BytesWritten;
    }

    /// <summary>Where the changes are now, to <see cref="Cut"/> back to.</summary>
    public Position Mark() => new(_buffer.BytesWritten, _changeCount, _used.Count, _isWriteNoted, _hasOverflowed);

    /// <summary>Forgets what was captured since.</summary>
    public void Cut(Position mark)
    {
        if (mark.Length == 0)
        {
            Empty(ref _buffer);
        }

        _buffer.CutTo(mark.Length);
        (_changeCount, _isWriteNoted, _hasOverflowed) = (mark.ChangeCount, mark.IsWriteNoted, mark.HasOverflowed);
        _used.RemoveRange(mark.TableCount, _used.Count - mark.TableCount);
    }

    /// <summary>Forgets the first of the changes, as they are stored.</summary>
    /// <param name="length">Their bytes.</param>
    /// <param name="count">How many they are.</param>
    public void DropFirst(int length, int count)
    {
        _buffer.DropFirst(length);
        _changeCount -= count;
    }

    /// <summary>Forgets how tables look, as the schema was changed, or changed back.</summary>
    public void ForgetTables()
    {
        _tables = null;
        _lastName = [];
        _last = null;
    }

    /// <summary>Learns how tables look, where that is not known: SQLite cannot be asked in the middle of a statement.</summary>
    /// <exception cref="StorageFailedException">The schema cannot be read.</exception>
    public void Prepare()
    {
        if (IsOn)
        {
            _tables ??= ChangedTable.LoadAll(connection).ToDictionary(t => t.Name, StringComparer.Ordinal);
        }
    }

    /// <summary>Takes one change, from within SQLite. Not before <see cref="Prepare"/>.</summary>
    public void Add(int action, byte* table, long oldRowid, long newRowid)
    {
        if (!IsOn || _hasOverflowed)
        {
            return;
        }

        var name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(table);
        if (!name.SequenceEqual(_lastName))
        {
            // One that is not known is of a virtual table that is being made.
            _last = _tables!.GetValueOrDefault(Encoding.UTF8.GetString(name));
            _lastName = name.ToArray();
        }

        if (_last is { } changed)
        {
            AddRow(changed, action, oldRowid, newRowid);
        }
    }

    /// <summary>Adds that the schema was changed.</summary>
    /// <param name="operation">Such as <c>ALTER TABLE</c>.</param>
    /// <param name="name">What was changed, or null.</param>
    /// <param name="sql">The statement.</param>
    public void AddSchema(string operation, string? name, string sql)
    {
        if (!IsOn || _hasOverflowed)
        {
            return;
        }

        NoteWrite();
        _buffer.WriteByte((byte)ChangeKind.Schema);
        _buffer.WriteText(operation);
        _buffer.WriteText(name ?? "");
        _buffer.WriteText(sql);
        Count();
    }

    /// <summary>Adds the rows with which a table was made, of which SQLite does not tell.</summary>
    /// <exception cref="StorageFailedException">They cannot be read.</exception>
    public void AddFirstRows(string name)
    {
        if (!IsOn || _hasOverflowed)
        {
            return;
        }

        Prepare();
        if (!_tables!.TryGetValue(name, out var table) || !table.HasRowid || table.Key.Count > 0)
        {
            // Not made of a query's rows: such a table has neither a key nor generated columns.
            return;
        }

        var columns = string.Concat(table.Columns.Select(c => $", {SqlName.Quote(c.Name)}"));
        using var rows = connection.CreateInternal($"SELECT {table.RowidName}{columns} FROM main.{SqlName.Quote(name)} NOT INDEXED ORDER BY 1");
        while (!_hasOverflowed && rows.Step())
        {
            NoteWrite();
            _buffer.WriteByte((byte)ChangeKind.Insert);
            _buffer.WriteUnsigned((ulong)NumberOf(table));
            _buffer.WriteSigned(rows.Integer(0));
            for (var i = 0; i < table.Columns.Count; i++)
            {
                _buffer.WriteValue(rows.RawValue(i + 1));
            }

            Count();
        }

        rows.Reset();
    }

    /// <summary>Called after each statement.</summary>
    /// <exception cref="StorageFailedException">SQLite could not hand out a value: it had no memory.</exception>
    public void Check()
    {
        if (_fault != 0)
        {
            throw connection.StorageFailed(_fault);
        }
    }

    private static void Empty(ref WireWriter writer)
    {
        writer.Clear();
        if (writer.Capacity > KeptBytes)
        {
            writer = new();
        }
    }

    private void AddRow(ChangedTable table, int action, long oldRowid, long newRowid)
    {
        NoteWrite();
        var kind = action switch
        {
            ActionInsert => ChangeKind.Insert,
            ActionDelete => ChangeKind.Delete,
            _ => ChangeKind.Update,
        };
        if (kind == ChangeKind.Update)
        {
            Empty(ref _oldKey);
            Empty(ref _newKey);
            WriteKey(_oldKey, table, oldRowid, isOld: true);
            WriteKey(_newKey, table, newRowid, isOld: false);
            kind = _oldKey.Written.Span.SequenceEqual(_newKey.Written.Span) ? ChangeKind.Update : ChangeKind.Move;
        }

        _buffer.WriteByte((byte)kind);
        _buffer.WriteUnsigned((ulong)NumberOf(table));
        if (kind == ChangeKind.Delete)
        {
            WriteKey(_buffer, table, oldRowid, isOld: true);
        }
        else
        {
            if (kind == ChangeKind.Move)
            {
                _buffer.WriteRaw(_oldKey.Written.Span);
            }

            if (table.HasRowid)
            {
                _buffer.WriteSigned(newRowid);
            }

            foreach (var column in table.Columns)
            {
                if (column.IsTold)
                {
                    WriteNew(_buffer, kind == ChangeKind.Insert ? column.Position : column.UpdatePosition);
                }
            }
        }

        Count();
    }

    private void WriteKey(WireWriter buffer, ChangedTable table, long rowid, bool isOld)
    {
        if (table.HasRowid)
        {
            buffer.WriteSigned(rowid);
        }

        foreach (var position in table.Key)
        {
            var column = table.Columns[position];
            if (!column.IsTold)
            {
                continue;
            }

            if (!isOld)
            {
                WriteNew(buffer, column.UpdatePosition);
            }
            else if (Took(Sqlite3.sqlite3_preupdate_old(connection.Handle, column.Position, out var value)))
            {
                buffer.WriteValue(value);
            }
        }
    }

    private void WriteNew(WireWriter buffer, int position)
    {
        if (Took(Sqlite3.sqlite3_preupdate_new(connection.Handle, position, out var value)))
        {
            buffer.WriteValue(value);
        }
    }

    private bool Took(int code)
    {
        if (code != Sqlite3.Ok && _fault == 0)
        {
            _fault = code;
        }

        return code == Sqlite3.Ok;
    }

    private void NoteWrite()
    {
        if (_isWriteNoted)
        {
            return;
        }

        _isWriteNoted = true;
        _buffer.WriteByte((byte)ChangeKind.Write);
        _buffer.WriteUnsigned((ulong)_ordinal);
        _buffer.WriteText(_key ?? "");
    }

    private void Count()
    {
        _changeCount++;
        _hasOverflowed |= _buffer.BytesWritten - _writeStart > WriteBytesMax;
    }

    private int NumberOf(ChangedTable table)
    {
        if (table.Id < 0 || table.Id >= _used.Count || _used[table.Id] != table)
        {
            // Known anew, but the same: the number does not depend on what was forgotten in between.
            table.Id = _used.FindIndex(table.HasFormOf);
            if (table.Id < 0)
            {
                table.Id = _used.Count;
                _used.Add(table);
            }
            else
            {
                _used[table.Id] = table;
            }
        }

        return table.Id;
    }

    /// <summary>A place in the changes.</summary>
    internal readonly record struct Position(int Length, int ChangeCount, int TableCount, bool IsWriteNoted, bool HasOverflowed);
}
