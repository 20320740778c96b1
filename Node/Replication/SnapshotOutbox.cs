using System.Diagnostics;
using System.Security.Cryptography;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Storage;
using DistDb.Node.Telemetry;
using DistDb.Node.Transport;

namespace DistDb.Node.Replication;

/// <summary>
/// Gives snapshots to peers whose logs cannot be continued: makes a consistent copy of all databases beside the running ones, and hands out
/// the pieces that a peer asks for. The copy serves whoever asks meanwhile, and is deleted when nobody has asked for a minute, or when it makes
/// this node keep too much of its log. Thread safe.
/// </summary>
/// <param name="folder">Where the copies are.</param>
/// <param name="databases">What is copied.</param>
/// <param name="termAt">An entry's term.</param>
/// <param name="currentTerm">This node's.</param>
/// <param name="send">To a peer.</param>
/// <param name="problem">Told what an operator should know.</param>
/// <param name="keptLogBytes">So much of the log is kept for a peer that fetches a copy, or the copy's size where that is more.</param>
/// <param name="instruments">Told what is made and sent; null for nobody.</param>
internal sealed class SnapshotOutbox(
    string folder,
    DatabaseSet databases,
    Func<LogIndex, Term> termAt,
    Func<Term> currentTerm,
    Action<NodeId, PeerMessage> send,
    Action<string> problem,
    long keptLogBytes,
    NodeInstruments? instruments = null) : IDisposable
{
    /// <summary>Bytes in one message: enough for a gigabyte in a few thousand, few enough not to delay what shares the link.</summary>
    public const int ChunkBytes = 256 << 10;

    private static readonly TimeSpan _keptUnused = TimeSpan.FromMinutes(1);

    private readonly SemaphoreSlim _turn = new(1);
    private readonly Lock _lock = new();
    private Snapshot? _current;
    private LogIndex? _makingFrom;
    private int _generation;

    /// <summary>
    /// The log must not be cut behind this while a peer may be on its way there; null when nothing keeps it. A copy for which too much is kept is
    /// given up: its receiver asks for a new one.
    /// </summary>
    /// <param name="logBytes">What the log holds now.</param>
    public LogIndex? KeepLogFrom(long logBytes)
    {
        lock (_lock)
        {
            if (_current is { } snapshot && logBytes > Math.Max(keptLogBytes, snapshot.ByteCount))
            {
                _current = null;
                snapshot.Delete();
            }

            // One that is being made fails when the log is cut behind it, and is made anew.
            var making = _makingFrom is not null && logBytes > Math.Max(keptLogBytes, databases.TotalByteCount) ? null : _makingFrom;
            return _current is { Index: var kept } && (making is not { } from || kept < from) ? kept : making;
        }
    }

    /// <summary>Deletes what an earlier process left.</summary>
    public void Clear()
    {
        foreach (var left in Directory.EnumerateDirectories(folder, "outgoing-*"))
        {
            Directory.Delete(left, recursive: true);
        }
    }

    /// <summary>The database that the kept copy was made of is bad: nobody gets it any more.</summary>
    public void GiveUp()
    {
        lock (_lock)
        {
            _generation++;
            _current?.Delete();
            _current = null;
        }
    }

    /// <summary>Offers a snapshot to a peer, making one first where the kept one is too old.</summary>
    public async Task OfferAsync(NodeId to, LogIndex minIndex)
    {
        await _turn.WaitAsync().ConfigureAwait(false);
        try
        {
            var snapshot = Find(s => s.Index >= minIndex) ?? await Task.Run(Make).ConfigureAwait(false);
            send(to, new SnapshotOffer(snapshot.Id, snapshot.Index, snapshot.Term, snapshot.MadeIn, snapshot.Parts, snapshot.Sha256));
        }
        catch (Exception e) when (e is StorageFailedException or ReplicaDivergedException or RaftStorageException or IOException or UnauthorizedAccessException or ArgumentOutOfRangeException or InvalidOperationException)
        {
            // The database was given up just now; or the disk, or a snapshot was installed on this node itself meanwhile, and its log begins behind the copy. This node goes on without; the peer asks again, here or elsewhere.
            problem(e.Message);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Sends the bytes at a place, or none where the snapshot is gone.</summary>
    public async Task SendChunkAsync(NodeId to, SnapshotChunkRequest request)
    {
        var bytes = ReadOnlyMemory<byte>.Empty;
        var isLast = false;
        try
        {
            (bytes, isLast) = await ReadChunkAsync(request).ConfigureAwait(false);
        }
        catch (ObjectDisposedException)
        {
            // Given up at this very moment.
        }
        catch (IOException e)
        {
            problem($"A snapshot could not be read back: {e.Message}");
        }

        send(to, new SnapshotChunk(request.Id, request.Offset, bytes));
        if (!bytes.IsEmpty)
        {
            instruments?.SnapshotPieceSent(bytes.Length, isLast);
        }
    }

    private async Task<(ReadOnlyMemory<byte> Bytes, bool IsLast)> ReadChunkAsync(SnapshotChunkRequest request)
    {
        if (Find(s => s.Id == request.Id) is { } snapshot && request.Offset >= 0 && request.Offset < snapshot.ByteCount)
        {
            var buffer = new byte[Math.Min(ChunkBytes, snapshot.ByteCount - request.Offset)];
            for (var count = 0; count < buffer.Length;)
            {
                var (part, offset) = snapshot.Locate(request.Offset + count);
                var wanted = buffer.AsMemory(count, (int)Math.Min(buffer.Length - count, snapshot.Parts[part].ByteCount - offset));
                var read = await RandomAccess.ReadAsync(snapshot.Files[part], wanted, offset).ConfigureAwait(false);
                count += read > 0 ? read : throw new EndOfStreamException($"{snapshot.Folder} was cut short.");
            }

            return (buffer, request.Offset + buffer.Length == snapshot.ByteCount);
        }

        return default;
    }

    /// <summary>Deletes the snapshot when nobody needs it any more. Called every now and then.</summary>
    public void Sweep()
    {
        lock (_lock)
        {
            if (_current is { } snapshot && Environment.TickCount64 - snapshot.UsedAtMs > _keptUnused.TotalMilliseconds)
            {
                _current = null;
                snapshot.Delete();
            }
        }
    }

    public void Dispose()
    {
        GiveUp();
        _turn.Dispose();
    }

    private Snapshot? Find(Func<Snapshot, bool> isIt)
    {
        lock (_lock)
        {
            if (_current is { } snapshot && isIt(snapshot))
            {
                snapshot.UsedAtMs = Environment.TickCount64;
                return snapshot;
            }

            return null;
        }
    }

    private Snapshot Make()
    {
        lock (_lock)
        {
            _makingFrom = new(databases.AppliedIndex);
        }

        var started = Stopwatch.GetTimestamp();
        try
        {
            var snapshot = MakeAndKeep();
            instruments?.SnapshotMade(started);
            return snapshot;
        }
        finally
        {
            lock (_lock)
            {
                _makingFrom = null;
            }
        }
    }

    private Snapshot MakeAndKeep()
    {
        var id = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8));
        var path = Path.Combine(folder, $"outgoing-{id:x16}");
        Snapshot snapshot;
        var generation = Volatile.Read(ref _generation);
        try
        {
            Directory.CreateDirectory(path);
            LogIndex index;
            string[] files;
            using (var content = databases.Pin() ?? throw new InvalidOperationException("This node is not through with its own log, and has no snapshot to give yet."))
            {
                content.CopyTo(path);
                index = new(content.Index);
                files = [.. content.Databases.Select(d => DatabaseFile.PathIn(path, d.Name))];
            }

            // Read after the copy: this node knew in this term, or before, that all of the copy is committed.
            var madeIn = currentTerm();
            snapshot = new(
                id,
                index,
                termAt(index),
                madeIn,
                [.. files.Select(f => new SnapshotPart(Path.GetFileNameWithoutExtension(f), new FileInfo(f).Length))],
                Hash(files),
                path,
                [.. files.Select(f => File.OpenHandle(f, options: FileOptions.Asynchronous))]);
        }
        catch
        {
            // Above all on a full disk: the next try begins from nothing.
            if (Directory.Exists(path))
            {
                Directory.Delete(path, recursive: true);
            }

            throw;
        }

        lock (_lock)
        {
            if (generation != _generation)
            {
                snapshot.Delete();
                throw new InvalidOperationException("The databases were found bad while they were copied for another node.");
            }

            _current?.Delete();
            _current = snapshot;
        }

        return snapshot;
    }

    private static byte[] Hash(string[] files)
    {
        using var hash = new SnapshotHash();
        foreach (var file in files)
        {
            using var content = File.OpenRead(file);
            hash.Add(content);
        }

        return hash.ToArray();
    }

    private sealed record Snapshot(
        ulong Id,
        LogIndex Index,
        Term Term,
        Term MadeIn,
        IReadOnlyList<SnapshotPart> Parts,
        byte[] Sha256,
        string Folder,
        IReadOnlyList<Microsoft.Win32.SafeHandles.SafeFileHandle> Files)
    {
        public long ByteCount { get; } = Parts.Sum(p => p.ByteCount);

        public long UsedAtMs { get; set; } = Environment.TickCount64;

        /// <summary>Which part has the byte at a place, and where in it.</summary>
        public (int Part, long Offset) Locate(long offset)
        {
            var part = 0;
            for (; offset >= Parts[part].ByteCount; part++)
            {
                offset -= Parts[part].ByteCount;
            }

            return (part, offset);
        }

        /// <summary>Whoever still reads from the open handles gets what was there.</summary>
        public void Delete()
        {
            if (Directory.Exists(Folder))
            {
                Directory.Delete(Folder, recursive: true);
            }

            foreach (var file in Files)
            {
                file.Dispose();
            }
        }
    }
}
