using DistDb.Node.Commands;

namespace DistDb.Node.Database.Changes;

/// <summary>
/// The changes that a database keeps of its last entries, in a table of its own, so that they are committed, undone, copied and lost together with the content (docs/adr/0019). Like the content
/// they are the same on all replicas.
/// <code>
/// _distdb_changes        id: the entry, shifted by 20 bits, and the piece; is_last: whether it is the entry's last piece; sum: bytes of all pieces ever up to this one
/// _distdb_changes_state  floor: all changes after this entry are there; NULL where none ever were kept, -1 where none are any more
/// </code>
/// </summary>
internal sealed class ChangeLog : IDisposable
{
    /// <summary>An entry that has more than so many bytes or changes is kept in pieces, so that whoever follows it needs not have all of it in memory.</summary>
    public const int PieceBytes = 256 << 10;

    /// <inheritdoc cref="PieceBytes"/>
    public const int PieceChanges = 1000;

    /// <summary>What a piece counts for beside its bytes.</summary>
    public const int PieceOverhead = 32;

    /// <summary>When there are too many, so much more of what may be is dropped, that it need not be done with each entry.</summary>
    private const int DroppedFraction = 64;

    private const long Off = -1;

    private readonly ChangeCapture _capture;
    private readonly InternalStatement _insert;
    private readonly InternalStatement _readState;
    private readonly InternalStatement _setFloor;
    private readonly InternalStatement _findKept;
    private readonly InternalStatement _drop;
    private WireWriter _piece = new();

    private bool _isKnown;
    private long? _floor;
    private long _sum;
    private long _dropped;
    private long _floorIfNew;
    private int _pieceCount;
    private byte[] _carriedHeader = [];

    public ChangeLog(Connection connection, ChangeCapture capture)
    {
        _capture = capture;
        _insert = connection.CreateInternal("INSERT INTO _distdb_changes VALUES (?1, ?2, ?3, ?4, ?5)");
        _readState = connection.CreateInternal(
            $"""
            SELECT floor,
                coalesce((SELECT sum FROM _distdb_changes ORDER BY id DESC LIMIT 1), 0),
                coalesce((SELECT sum - length(changes) - {PieceOverhead} FROM _distdb_changes ORDER BY id LIMIT 1), 0)
            FROM _distdb_changes_state
            """);
        _setFloor = connection.CreateInternal("UPDATE _distdb_changes_state SET floor = ?1");
        _findKept = connection.CreateInternal("SELECT id, sum FROM _distdb_changes WHERE is_last = 1 AND sum >= ?1 ORDER BY id LIMIT 1");
        _drop = connection.CreateInternal("DELETE FROM _distdb_changes WHERE id <= ?1");
    }

    /// <summary>Whether the last commit had something in it for those who follow.</summary>
    public bool HasNews { get; private set; }

    /// <summary>Begins an entry.</summary>
    /// <param name="stamp">The entry.</param>
    /// <param name="appliedIndex">The last entry that changed the file, or 0.</param>
    /// <param name="hasContent">Whether users have anything in it.</param>
    /// <exception cref="StorageFailedException">The storage failed: the node must stop.</exception>
    public void Begin(EntryStamp stamp, long appliedIndex, Func<bool> hasContent)
    {
        _pieceCount = 0;
        _carriedHeader = [];
        HasNews = false;
        _capture.Begin(isOn: stamp.ChangesBytesMax > 0);
        if (!_isKnown)
        {
            _ = _readState.Step();
            _floor = _readState.IsNull(0) ? null : _readState.Integer(0);
            _sum = _readState.Integer(1);
            _dropped = _readState.Integer(2);
            _readState.Reset();
            _isKnown = true;
        }

        if (stamp.ChangesBytesMax > 0 && _floor is null or Off)
        {
            // Where nothing was ever there, all there is will have been kept from the beginning.
            _floorIfNew = _floor is null && appliedIndex > 0 && !hasContent() ? 0 : appliedIndex;
        }
    }

    /// <summary>Stores what fills pieces, in the open entry. Called between two writes.</summary>
    /// <exception cref="StorageFailedException">The storage failed: the node must stop.</exception>
    public void StoreFull(EntryStamp stamp)
    {
        if (_capture.ChangeCount > PieceChanges || _capture.Changes.Length > PieceBytes)
        {
            StorePieces(stamp, isEnd: false);
        }
    }

    /// <summary>Stores what the open entry changed, before it is committed, and drops what is beyond the bound.</summary>
    /// <exception cref="StorageFailedException">The storage failed: the node must stop.</exception>
    public void End(EntryStamp stamp, bool isNew)
    {
        if (stamp.ChangesBytesMax is not { } bytesMax)
        {
            return;
        }

        if (bytesMax == 0)
        {
            if (_floor is not null and not Off)
            {
                Restart(Off);
            }

            return;
        }

        var hasChanges = _capture.ChangeCount > 0 || _pieceCount > 0;
        if (_floor is null or Off)
        {
            // A database that is made by this entry has a name that another may have had before.
            Restart(isNew && !hasChanges ? stamp.Index : _floorIfNew);
        }

        if (_capture.HasOverflowed)
        {
            Restart(stamp.Index);
            return;
        }

        if (!hasChanges)
        {
            return;
        }

        StorePieces(stamp, isEnd: true);
        HasNews = true;
        if (_sum - _dropped > bytesMax)
        {
            DropOldest(bytesMax);
        }
    }

    /// <summary>Has the changes begin anew after an entry, where any are kept, as the content was replaced by it.</summary>
    /// <exception cref="StorageFailedException">The storage failed: the node must stop.</exception>
    public void Replaced(long index)
    {
        if (_floor is not null and not Off)
        {
            Restart(index);
        }
    }

    /// <summary>The entry is over. What is known of the table is void where it was not committed.</summary>
    public void Ended(bool isCommitted)
    {
        _capture.End();
        _pieceCount = 0;
        _isKnown &= isCommitted;
    }

    public void Dispose()
    {
        _insert.Dispose();
        _readState.Dispose();
        _setFloor.Dispose();
        _findKept.Dispose();
        _drop.Dispose();
    }

    private void Restart(long floor)
    {
        _drop.Bind(1, long.MaxValue).Run();
        _setFloor.Bind(1, floor).Run();
        _floor = floor;
        _sum = _dropped = 0;
        _pieceCount = 0;
        HasNews = true;
    }

    private void DropOldest(long bytesMax)
    {
        var kept = bytesMax - (bytesMax / DroppedFraction);
        _ = _findKept.Bind(1, _sum - kept).Step();
        var (id, sum) = (_findKept.Integer(0), _findKept.Integer(1));
        _findKept.Reset();
        _drop.Bind(1, id).Run();
        _dropped = sum;
        _floor = id >> ChangePosition.PieceBits;
        _setFloor.Bind(1, _floor.Value).Run();
    }

    private void StorePieces(EntryStamp stamp, bool isEnd)
    {
        var changes = _capture.Changes;
        if (isEnd && changes.Length <= PieceBytes && _capture.ChangeCount <= PieceChanges && _pieceCount == 0)
        {
            Store(stamp, isLast: true, Enumerable.Range(0, _capture.Tables.Count), [], changes);
            return;
        }

        // Each piece says itself to which write its changes belong.
        var reader = new WireReader(changes);
        SortedSet<int> tables = [];
        ReadOnlySpan<byte> header = _carriedHeader;
        var write = header;
        int start = 0, count = 0, storedCount = 0;
        while (!reader.AtEnd)
        {
            var from = changes.Length - reader.BytesLeft;
            var (kind, table) = ChangePiece.Skip(ref reader, _capture.Tables);
            var to = changes.Length - reader.BytesLeft;
            if (kind == ChangeKind.Write)
            {
                write = changes[from..to];
                continue;
            }

            if (count == PieceChanges || (count > 0 && to - start > PieceBytes))
            {
                Store(stamp, isLast: false, tables, header, changes[start..from]);
                header = write;
                storedCount += count;
                (start, count) = (from, 0);
                tables.Clear();
            }

            count++;
            if (table >= 0)
            {
                tables.Add(table);
            }
        }

        if (isEnd)
        {
            Store(stamp, isLast: true, tables, header, changes[start..]);
            return;
        }

        _carriedHeader = header.ToArray();
        _capture.DropFirst(start, storedCount);
    }

    private void Store(EntryStamp stamp, bool isLast, IEnumerable<int> tables, ReadOnlySpan<byte> header, ReadOnlySpan<byte> changes)
    {
        _piece.Clear();
        _piece.WriteByte(ChangePiece.Layout);
        _piece.WriteUnsigned((ulong)tables.Count());
        foreach (var table in tables)
        {
            _piece.WriteUnsigned((ulong)table);
            _capture.Tables[table].Write(_piece);
        }

        _piece.WriteRaw(header);
        _piece.WriteRaw(changes);
        _sum += _piece.BytesWritten + PieceOverhead;
        _insert
            .Bind(1, new ChangePosition(stamp.Index, _pieceCount++).Key)
            .Bind(2, isLast ? 1 : 0)
            .Bind(3, stamp.TimeMs)
            .Bind(4, _sum)
            .Bind(5, _piece.Written.Span)
            .Run();
        if (_piece.BytesWritten > 4 * PieceBytes)
        {
            // A single row may have a hundred times as much; that memory is not kept.
            _piece = new();
        }
    }
}
