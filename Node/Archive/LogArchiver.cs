using DistDb.Node.Database;
using DistDb.Node.Raft;
using Microsoft.Data.Sqlite;

namespace DistDb.Node.Archive;

/// <summary>
/// Keeps what a node's log had, in closed pieces: every committed entry that was applied, in order. It reads the log, which must not be cut behind
/// <see cref="ArchivedIndex"/>. Where a piece cannot be written, all that is not in closed pieces comes into a new one later, so that nothing is lost.
/// <para><see cref="Sweep"/> is called by one thread at a time; <see cref="ArchivedIndex"/> may be asked by any.</para>
/// </summary>
/// <param name="options">Where to, and how often.</param>
/// <param name="node">This node.</param>
/// <param name="log">Its log.</param>
/// <param name="applied">Up to where entries are committed and applied.</param>
/// <param name="clusterId">The cluster, or empty as long as it is not known.</param>
/// <param name="overruled">Of an applied entry: <see cref="ArchivedEntry.Overruled"/>.</param>
/// <param name="time">The clock.</param>
internal sealed class LogArchiver(
    LogArchiveOptions options, NodeId node, ILogStore log, Func<LogIndex> applied, Func<Guid> clusterId, Func<LogIndex, ulong?> overruled, TimeProvider time) : IDisposable
{
    private const int BytesAtOnce = 1 << 20;

    /// <summary>How long it is left alone after it could not be written.</summary>
    private static readonly TimeSpan _retryInterval = TimeSpan.FromSeconds(10);

    /// <summary>It goes on being said.</summary>
    private static readonly TimeSpan _failureTellInterval = TimeSpan.FromMinutes(5);

    private ArchivePieceWriter? _piece;
    private LogIndex _next;
    private bool _isBegun;
    private long _begunAt;
    private long? _failedAt;
    private long? _failureToldAt;
    private long _archivedIndex;

    /// <summary>The folder.</summary>
    public string Folder { get; } = Path.GetFullPath(options.Folder);

    /// <summary>The last entry that is in a closed piece, or that nothing can be done about any more; zero as long as that is not known.</summary>
    public LogIndex ArchivedIndex
    {
        get => new(Interlocked.Read(ref _archivedIndex));
        private set => Interlocked.Exchange(ref _archivedIndex, value.Value);
    }

    /// <summary>Told that the archive begins, with its first entry.</summary>
    public Action<LogIndex> Began { get; set; } = _ => { };

    /// <summary>Told that the log does not have entries any more that the archive does not have: the first and the last of them.</summary>
    public Action<LogIndex, LogIndex> GapFound { get; set; } = (_, _) => { };

    /// <summary>Told now and then, while the archive cannot be written, why not.</summary>
    public Action<string> Failed { get; set; } = _ => { };

    /// <summary>Told that it can be written again.</summary>
    public Action Recovered { get; set; } = () => { };

    /// <summary>Takes what was applied since the last time, and closes a piece whose time has come.</summary>
    /// <param name="isLast">Whether to close it in any case.</param>
    /// <exception cref="DistDb.Node.Storage.RaftStorageException">The log cannot be read: the node must stop.</exception>
    public void Sweep(bool isLast = false)
    {
        if (clusterId() is var id && id == Guid.Empty)
        {
            return;
        }

        if (_failedAt is { } failedAt && time.GetElapsedTime(failedAt) < _retryInterval && !isLast)
        {
            return;
        }

        try
        {
            Begin(id);
            Append(id);
            if (_piece is not null && (isLast || time.GetElapsedTime(_begunAt) >= options.Interval))
            {
                Close();
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or SqliteException)
        {
            GiveUpPiece();
            _failedAt = time.GetTimestamp();
            if (_failureToldAt is not { } toldAt || time.GetElapsedTime(toldAt) >= _failureTellInterval)
            {
                _failureToldAt = _failedAt;
                Failed(e.Message);
            }
        }
    }

    public void Dispose() => _piece?.Dispose();

    /// <summary>Finds out where the archive goes on.</summary>
    private void Begin(Guid id)
    {
        if (_isBegun)
        {
            return;
        }

        PrivateFolder.Create(Folder);
        var last = ArchivedPiece.List(Folder).Where(p => p.ClusterId == id && p.Node == node).Select(p => (LogIndex?)p.Last).Max();
        if (last is null)
        {
            var first = log.BaseIndex.Next;
            Began(first);
            ArchivedIndex = first.Previous;
        }
        else
        {
            ArchivedIndex = last.Value;
        }

        _next = ArchivedIndex.Next;
        _isBegun = true;
    }

    private void Append(Guid id)
    {
        // What comes meanwhile is for the next time, or a busy log would keep a piece from being closed.
        var last = applied();
        while (_next <= last)
        {
            if (log.BaseIndex >= _next)
            {
                // A snapshot took the place of these entries.
                SkipTo(log.BaseIndex);
                continue;
            }

            IReadOnlyList<Entry> entries;
            try
            {
                entries = log.Read(_next, last, BytesAtOnce);
            }
            catch (Exception e) when (e is ArgumentOutOfRangeException or Storage.RaftStorageException && log.BaseIndex >= _next)
            {
                // Just now.
                continue;
            }

            foreach (var entry in entries)
            {
                if (_piece is null)
                {
                    _piece = new(Folder, id, node);
                    _begunAt = time.GetTimestamp();
                }

                _piece.Add(new(entry, overruled(entry.Index)));
                _next = entry.Index.Next;
                if (_piece.Bytes >= options.PieceBytesMax)
                {
                    Close();
                }
            }
        }
    }

    private void SkipTo(LogIndex index)
    {
        if (_piece is not null)
        {
            Close();
        }

        GapFound(_next, index);
        ArchivedIndex = index;
        _next = index.Next;
    }

    private void Close()
    {
        ArchivedIndex = _piece!.Close();
        _piece = null;
        _failedAt = null;
        if (_failureToldAt is not null)
        {
            _failureToldAt = null;
            Recovered();
        }
    }

    private void GiveUpPiece()
    {
        _piece?.Dispose();
        _piece = null;
        _next = ArchivedIndex.Next;
    }
}
