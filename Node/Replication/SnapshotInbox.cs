using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Telemetry;
using DistDb.Node.Transport;

namespace DistDb.Node.Replication;

/// <summary>
/// Fetches a snapshot piece by piece into a folder, a few pieces under way at a time so that this node sets the pace, checks the whole by
/// its hash, and hands it on. A broken link costs what was under way: the rest goes on where it was, also after this process was
/// restarted, as long as the same snapshot is offered. Thread safe.
/// </summary>
internal sealed class SnapshotInbox(
    string folder,
    Action<NodeId, PeerMessage> send,
    Action<ReceivedSnapshot> received,
    Action<string> problem,
    TimeProvider? time = null,
    NodeInstruments? instruments = null) : IDisposable
{
    private const int ChunksUnderWay = 4;
    private const long SilenceMs = 1000;
    private const long PatienceMs = 10_000;

    // A full disk is met again with every try, which is every second.
    private const long RepeatProblemMs = 60_000;

    private readonly Lock _lock = new();
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private Transfer? _transfer;
    private long? _requestedAtMs;
    private bool _isHandedOn;
    private (string Text, long AtMs)? _lastProblem;

    /// <summary>Bytes that have arrived and bytes in all, or null when nothing is being fetched.</summary>
    public (long Arrived, long Total)? Progress
    {
        get
        {
            lock (_lock)
            {
                return _transfer is { } t ? (t.Arrived, t.Offer.ByteCount) : null;
            }
        }
    }

    // Of a clock that only goes forward; not the time of day.
    private long NowMs => (long)_time.GetElapsedTime(0).TotalMilliseconds;

    /// <summary>The leader says that nothing but a snapshot can help. Said again and again until one is installed.</summary>
    public void Want(NodeId from, LogIndex minIndex)
    {
        lock (_lock)
        {
            var now = NowMs;
            if (_isHandedOn || (_transfer is { } t && now - t.HeardAtMs < PatienceMs) || (_requestedAtMs is { } at && now - at < SilenceMs))
            {
                return;
            }

            End();
            _requestedAtMs = now;
        }

        send(from, new SnapshotRequest(minIndex));
    }

    public void OnOffer(NodeId from, SnapshotOffer offer)
    {
        List<long> wanted;
        lock (_lock)
        {
            if (_isHandedOn || _transfer is not null)
            {
                return;
            }

            if (!TryWrite(() => _transfer = Transfer.Begin(folder, from, offer, NowMs)))
            {
                return;
            }

            wanted = _transfer!.NextRequests(ChunksUnderWay, NowMs);
        }

        Request(from, offer.Id, wanted);
        FinishIfWhole();
    }

    public void OnChunk(NodeId from, SnapshotChunk chunk)
    {
        List<long> wanted;
        lock (_lock)
        {
            if (_transfer is not { } transfer || transfer.From != from || transfer.Offer.Id != chunk.Id)
            {
                return;
            }

            if (chunk.Bytes.IsEmpty)
            {
                // The sender gave it up, so that it must be asked for a new one.
                End();
                return;
            }

            if (!TryWrite(() => transfer.Add(chunk, NowMs)))
            {
                return;
            }

            wanted = transfer.NextRequests(ChunksUnderWay, NowMs);
        }

        instruments?.SnapshotPieceReceived(chunk.Bytes.Length);
        Request(from, chunk.Id, wanted);
        FinishIfWhole();
    }

    /// <summary>Asks again for what did not arrive. Called every few dozen milliseconds.</summary>
    public void Sweep()
    {
        NodeId from;
        ulong id;
        List<long> wanted;
        lock (_lock)
        {
            if (_transfer is not { } transfer || NowMs - transfer.AskedAtMs < SilenceMs)
            {
                return;
            }

            transfer.Rewind();
            (from, id, wanted) = (transfer.From, transfer.Offer.Id, transfer.NextRequests(ChunksUnderWay, NowMs));
        }

        Request(from, id, wanted);
    }

    /// <summary>What was handed on is installed, or was not needed any more.</summary>
    public void Installed()
    {
        lock (_lock)
        {
            _isHandedOn = false;
            _requestedAtMs = null;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            End();
        }
    }

    /// <summary>False when the disk refuses; what arrived stays for the next try. The caller holds the lock.</summary>
    private bool TryWrite(Action write)
    {
        try
        {
            write();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var text = $"A snapshot cannot be stored in {folder}: {e.Message} It will be tried again; make room.";
            if (_lastProblem is not { } last || last.Text != text || NowMs - last.AtMs >= RepeatProblemMs)
            {
                _lastProblem = (text, NowMs);
                problem(text);
            }

            End();
            return false;
        }
    }

    private void Request(NodeId from, ulong id, List<long> offsets)
    {
        foreach (var offset in offsets)
        {
            send(from, new SnapshotChunkRequest(id, offset));
        }
    }

    private void FinishIfWhole()
    {
        Transfer transfer;
        lock (_lock)
        {
            if (_transfer is not { IsWhole: true })
            {
                return;
            }

            transfer = _transfer;
            _isHandedOn = true;
            End();
        }

        // Hashing a large file takes its time, which the link's thread does not have.
        ThreadPool.QueueUserWorkItem(_ => Check(transfer));
    }

    private void Check(Transfer transfer)
    {
        bool isSound;
        try
        {
            using (var hash = new SnapshotHash())
            {
                foreach (var part in transfer.Offer.Parts)
                {
                    using var content = new FileStream(transfer.PathOf(part), FileMode.Open, FileAccess.ReadWrite);

                    // An earlier process may have written all of it and died before this.
                    content.Flush(flushToDisk: true);
                    hash.Add(content);
                }

                isSound = hash.ToArray().AsSpan().SequenceEqual(transfer.Offer.Sha256.Span);
            }

            if (isSound)
            {
                // Not before they are closed: with them, POSIX would drop the locks that SQLite has on the files by then.
                FolderSync.Flush(transfer.Folder);
                instruments?.SnapshotReceived(TimeSpan.FromMilliseconds(NowMs - transfer.BegunAtMs));
                received(new(transfer.Folder, transfer.Offer.Index, transfer.Offer.Term));
                return;
            }

            Directory.Delete(transfer.Folder, recursive: true);
            problem($"The snapshot from node {transfer.From} arrived damaged and was thrown away; it will be fetched again.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            problem($"The snapshot from node {transfer.From} could not be read back: {e.Message} It will be fetched again.");
        }

        Installed();
    }

    /// <summary>Closes the files of the transfer, which stay for a later one of the same content. The caller holds the lock.</summary>
    private void End()
    {
        _transfer?.Dispose();
        _transfer = null;
    }

    /// <summary>One snapshot on its way.</summary>
    private sealed class Transfer : IDisposable
    {
        // What overtook an earlier piece; never more than the window. The files have no holes, so that their lengths say how far it got.
        private readonly Dictionary<long, ReadOnlyMemory<byte>> _ahead = [];
        private long _requested;
        private int _part;
        private FileStream? _file;

        private Transfer(NodeId from, SnapshotOffer offer, string folder, long nowMs)
        {
            From = from;
            Offer = offer;
            Folder = folder;
            BegunAtMs = HeardAtMs = AskedAtMs = nowMs;
        }

        public NodeId From { get; }

        public SnapshotOffer Offer { get; }

        public string Folder { get; }

        public long Arrived { get; private set; }

        public long BegunAtMs { get; }

        public long HeardAtMs { get; private set; }

        public long AskedAtMs { get; private set; }

        public bool IsWhole => _part == Offer.Parts.Count;

        /// <summary>Goes on with the files of an earlier transfer of the same content, and deletes all others.</summary>
        public static Transfer Begin(string parent, NodeId from, SnapshotOffer offer, long nowMs)
        {
            if (offer.Parts.FirstOrDefault(p => p.ByteCount < 0 || !DatabaseName.TryParse(p.Name, out var name) || name.Value != p.Name) is { Name: { } wrong })
            {
                throw new IOException($"Node {from} offers a database called \"{wrong}\", which no database can be.");
            }

            var folder = Path.Combine(parent, $"incoming-{Convert.ToHexStringLower(offer.Sha256.Span)}");
            foreach (var other in Directory.EnumerateDirectories(parent, "incoming-*").Where(f => f != folder))
            {
                Directory.Delete(other, recursive: true);
            }

            Directory.CreateDirectory(folder);
            var transfer = new Transfer(from, offer, folder, nowMs);
            try
            {
                transfer.GoToFirstGap();
                return transfer;
            }
            catch
            {
                transfer.Dispose();
                throw;
            }
        }

        public string PathOf(SnapshotPart part) => DatabaseFile.PathIn(Folder, part.Name);

        public void Add(SnapshotChunk chunk, long nowMs)
        {
            if (chunk.Offset < Arrived || chunk.Offset >= _requested
                || (chunk.Offset - Arrived) % SnapshotOutbox.ChunkBytes != 0
                || chunk.Bytes.Length != Math.Min(SnapshotOutbox.ChunkBytes, Offer.ByteCount - chunk.Offset))
            {
                return;
            }

            _ahead[chunk.Offset] = chunk.Bytes;
            while (_ahead.Remove(Arrived, out var bytes))
            {
                Write(bytes.Span);
            }

            HeardAtMs = nowMs;
        }

        /// <summary>Places to ask for now, within a window.</summary>
        public List<long> NextRequests(int window, long nowMs)
        {
            var offsets = new List<long>();
            while (_requested < Offer.ByteCount && _requested < Arrived + ((long)window * SnapshotOutbox.ChunkBytes))
            {
                if (!_ahead.ContainsKey(_requested))
                {
                    offsets.Add(_requested);
                }

                _requested += SnapshotOutbox.ChunkBytes;
            }

            if (offsets.Count > 0)
            {
                AskedAtMs = nowMs;
            }

            return offsets;
        }

        /// <summary>
        /// What was asked for and did not arrive is lost. What overtook it is kept: were it asked for as well, a link that loses every third piece
        /// could lose the same piece each time.
        /// </summary>
        public void Rewind() => _requested = Arrived;

        public void Dispose() => _file?.Dispose();

        private void Write(ReadOnlySpan<byte> bytes)
        {
            while (!bytes.IsEmpty)
            {
                var count = (int)Math.Min(bytes.Length, Offer.Parts[_part].ByteCount - _file!.Length);
                _file.Write(bytes[..count]);
                bytes = bytes[count..];
                Arrived += count;
                GoOnWhereFull();
            }
        }

        /// <summary>Finds how far an earlier transfer came.</summary>
        private void GoToFirstGap()
        {
            Open();
            GoOnWhereFull();
            _requested = Arrived;
        }

        private void GoOnWhereFull()
        {
            while (!IsWhole && _file!.Length == Offer.Parts[_part].ByteCount)
            {
                _part++;
                Open();
            }
        }

        private void Open()
        {
            _file?.Dispose();
            _file = null;
            if (IsWhole)
            {
                return;
            }

            // Unbuffered: what the disk refuses must not be tried again when the file is closed.
            _file = new(PathOf(Offer.Parts[_part]), FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, bufferSize: 0);
            if (_file.Length > Offer.Parts[_part].ByteCount)
            {
                _file.SetLength(0);
            }

            Arrived = Offer.Parts.Take(_part).Sum(p => p.ByteCount) + _file.Length;
            _file.Seek(0, SeekOrigin.End);
        }
    }
}
