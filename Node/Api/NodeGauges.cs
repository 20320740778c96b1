using System.Diagnostics;
using System.Diagnostics.Metrics;
using DistDb.Node.Database;
using DistDb.Node.Replication;
using DistDb.Node.Telemetry;

namespace DistDb.Node.Api;

/// <summary>
/// The instruments that are asked: what <c>GET /status</c> says of this node, and what its parts know besides. They cost nothing until somebody asks, and say
/// the same as the status, since they have it from there.
/// </summary>
internal sealed class NodeGauges
{
    /// <summary>Databases with a series of their own, the first by name; the sizes of all others are summed up, so that clients cannot make series at will.</summary>
    private const int NamedDatabasesMax = 20;

    /// <summary>No database can be called so.</summary>
    private const string OtherDatabases = "(others)";

    /// <summary>All gauges of one answer are of one picture.</summary>
    private static readonly TimeSpan _pictureAge = TimeSpan.FromMilliseconds(100);

    private readonly StatusBuilder _builder;
    private readonly Meter _meter;
    private readonly Lock _lock = new();
    private NodeStatus? _picture;
    private long _takenAt;

    public NodeGauges(NodeInstruments instruments, StatusBuilder builder, ClusterNode node, MemoryBudget memory, RequestGate gate)
    {
        _builder = builder;
        _meter = instruments.Meter;
        AddIdentity();
        AddRaft();
        AddPeers();
        AddQueue(node, memory, gate);
        AddStorage(node);
        AddVerification();
        AddProcess();
    }

    private NodeStatus Picture
    {
        get
        {
            lock (_lock)
            {
                if (_picture is null || Stopwatch.GetElapsedTime(_takenAt) > _pictureAge)
                {
                    _picture = _builder.Node();
                    _takenAt = Stopwatch.GetTimestamp();
                }

                return _picture;
            }
        }
    }

    private void AddIdentity()
    {
        Gauge("distdb.build.info", "What runs here; always 1.", () =>
            [new(1, new("version", BuildVersion.Current), new("commit", BuildVersion.Commit ?? ""), new("sqlite", SqliteLibrary.Version))]);
        Gauge("distdb.node.info", "Which node of which cluster this is; always 1.", () =>
            [new(1, new("node", Picture.Id), new KeyValuePair<string, object?>("cluster", Picture.ClusterId?.ToString() ?? ""))]);
        Gauge("distdb.ready", "Whether this node serves: 1 or 0.", () => Bit(Picture.Ready));
        Gauge("distdb.repairing", "Whether this node serves nobody because its content is being replaced or judged: 1 or 0.", () => Bit(Picture.Repair is not null));
        _meter.CreateObservableGauge("distdb.uptime", () => Picture.UptimeS, "s", "Time since the node's start.");
    }

    private void AddRaft()
    {
        Gauge("distdb.raft.term", "The current term.", () => Picture.Term);
        Gauge("distdb.raft.leader", "The node that leads, or -1 while none is known.", () => Picture.Leader ?? -1);
        Gauge("distdb.raft.is_leader", "Whether this node orders the log now: 1 or 0.", () => Bit(Picture.Leader == Picture.Id));
        Gauge("distdb.is_master", "Whether this node is the master: 1 or 0.", () => Bit(Picture.Master == Picture.Id));
        Gauge("distdb.is_voter", "Whether this node votes: 1 or 0.", () => Bit(Picture.Suffrage == "voter"));
        Gauge("distdb.log.first.index", "The oldest entry that the log holds.", () => Picture.FirstLogIndex);
        Gauge("distdb.log.last.index", "The newest entry that the log holds.", () => Picture.LastLogIndex);
        Gauge("distdb.commit.index", "The last entry that is known to be committed.", () => Picture.CommitIndex);
        Gauge("distdb.applied.index", "The last entry that the databases hold.", () => Picture.AppliedIndex);
        Counter("distdb.applied.writes", "{write}", "Writes of clients that were applied, wherever they came in.", () => Picture.Counters.Writes);
        Counter("distdb.applied.batches", "{entry}", "Log entries that held them.", () => Picture.Counters.Batches);
        Gauge("distdb.snapshot.fetch.arrived", "Bytes that have arrived of a snapshot that this node is fetching; absent while it fetches none.", () =>
            Picture.Snapshot is { } s ? [new(s.ArrivedBytes)] : [], "By");
        Gauge("distdb.snapshot.fetch.total", "Bytes in all of the same.", () => Picture.Snapshot is { } s ? [new(s.TotalBytes)] : [], "By");
    }

    private void AddPeers()
    {
        Gauge("distdb.peer.up", "Whether a peer was heard within the last second: 1 or 0.", () => OfPeers(p => Bit(p.Reachable)));
        Gauge("distdb.peer.lag.entries", "Entries that are committed here and not applied at the peer, as of its last report.", () => OfPeers(p => p.Lag));
        _meter.CreateObservableGauge(
            "distdb.peer.last.contact",
            () => Picture.Peers.Where(p => p.LastContactMs is not null).Select(p => new Measurement<double>(p.LastContactMs!.Value / 1000.0, Peer(p))),
            "s",
            "Time since a peer was last heard.");
    }

    private void AddQueue(ClusterNode node, MemoryBudget memory, RequestGate gate)
    {
        Gauge("distdb.http.requests.active", "Requests to /query and /databases under way.", () => gate.Count);
        Gauge("distdb.http.requests.active.limit", "The most there may be (--max-requests).", () => gate.CountMax);
        Gauge("distdb.request.memory", "Bytes of request bodies and gathered rows held now.", () => memory.Taken, "By");
        Gauge("distdb.request.memory.limit", "The most there may be (--request-memory).", () => memory.BytesMax, "By");
        Gauge("distdb.pending.writes", "Writes of this node's clients whose fate is not known yet.", () => node.Queue.PendingWrites);
        Gauge("distdb.pending.writes.limit", "The most there may be (--max-pending).", () => node.Queue.PendingWritesMax);
        Gauge("distdb.pending.size", "About how many bytes they have.", () => node.Queue.PendingBytes, "By");
        Gauge("distdb.pending.size.limit", "The most there may be (--max-pending-bytes).", () => node.Queue.PendingBytesMax, "By");
        Gauge("distdb.leader.queue.writes", "Writes that this leader has yet to execute.", () => node.Queue.LeaderWrites);
        Gauge("distdb.leader.queue.size", "About how many bytes they have.", () => node.Queue.LeaderBytes, "By");
    }

    private void AddStorage(ClusterNode node)
    {
        Gauge("distdb.archive.index", "The last entry that is in the archive of the log; absent where this node keeps none.", () =>
            node.ArchivedIndex is { } archived ? [new(archived.Value)] : []);
        Gauge("distdb.log.size", "Bytes of the data of all entries that the log holds.", () => node.Storage.LogEntryBytes, "By");
        Gauge("distdb.log.file", "Size of the log's files.", () => node.Storage.LogFileBytes, "By");
        Gauge("distdb.database.file", "Size of a database's file; beyond the first 20 by name, of all others together.", DatabaseSizes, "By");
        Gauge("distdb.database.wal", "Size of the write-ahead logs that SQLite keeps beside all databases.", () => node.Storage.WalBytes, "By");
        Gauge("distdb.databases", "How many databases there are.", () => Picture.Databases.Count);
        Gauge("distdb.databases.open", "How many of them are open.", () => node.Storage.OpenDatabases);
        Gauge("distdb.sqlite.memory", "Bytes of memory that SQLite holds, nearly all of it pages of its caches.", () => SqliteLibrary.MemoryBytes, "By");
        Gauge("distdb.sqlite.memory.limit", "Beyond so many bytes SQLite reuses its caches' pages.", () => SqliteLibrary.MemoryBytesSoftMax, "By");
    }

    private void AddVerification()
    {
        Gauge("distdb.verification.index", "The entry at which all replicas were last compared; absent before the first time.", () =>
            Picture.Verification is { } v ? [new(v.Index)] : []);
        _meter.CreateObservableGauge(
            "distdb.verification.age",
            () => Picture.Verification is { } v ? [new Measurement<double>(Math.Max(0, (DateTimeOffset.UtcNow - v.At).TotalSeconds))] : Array.Empty<Measurement<double>>(),
            "s",
            "Time since they were.");
        Gauge("distdb.verification.healthy", "Whether a node was found equal to the majority then: 1, or 0 where it differed, was damaged or silent.", () =>
            Picture.Verification is { } v ? [.. v.Nodes.Select(n => new Measurement<long>(Bit(n.Health == "healthy"), new KeyValuePair<string, object?>("node", n.Id)))] : []);
    }

    /// <summary>What .NET's own meter does not say, by the names that every Prometheus client uses.</summary>
    private void AddProcess()
    {
        var start = (Process.GetCurrentProcess().StartTime.ToUniversalTime() - DateTime.UnixEpoch).TotalSeconds;
        _meter.CreateObservableGauge("process.start_time", () => start, "s", "When the process was started, in seconds since 1970.");
        _meter.CreateObservableCounter("process.cpu", () => Environment.CpuUsage.TotalTime.TotalSeconds, "s", "CPU time used.");
        Gauge("process.resident_memory", "Resident memory.", () => Environment.WorkingSet, "By");
        Gauge("process.open_fds", "Open file descriptors.", OpenFiles);
        Gauge("process.threads", "Threads of the operating system.", () => Threads());
        Gauge("dotnet.thread_pool.threads", "Threads of the pool that requests and links run on.", () => ThreadPool.ThreadCount);
        Gauge("dotnet.thread_pool.queue", "Work that waits for a thread of the pool.", () => ThreadPool.PendingWorkItemCount);
    }

    private Measurement<long>[] DatabaseSizes()
    {
        var all = Picture.Databases;
        var others = all.Skip(NamedDatabasesMax).ToList();
        return
        [
            .. all.Take(NamedDatabasesMax).Select(d => Of(d.Name, d.Bytes)),
            .. others.Count == 0 ? [] : (Measurement<long>[])[Of(OtherDatabases, others.Sum(d => d.Bytes))],
        ];

        static Measurement<long> Of(string name, long bytes) => new(bytes, new KeyValuePair<string, object?>("database", name));
    }

    private static long Threads()
    {
        using var self = Process.GetCurrentProcess();
        return self.Threads.Count;
    }

    /// <summary>Only Linux says it without ado.</summary>
    private static Measurement<long>[] OpenFiles() =>
        Directory.Exists("/proc/self/fd") ? [new(Directory.EnumerateFileSystemEntries("/proc/self/fd").LongCount())] : [];

    private IEnumerable<Measurement<long>> OfPeers(Func<PeerStatus, long?> value) =>
        Picture.Peers.Select(p => (Peer: p, Value: value(p))).Where(p => p.Value is not null).Select(p => new Measurement<long>(p.Value!.Value, Peer(p.Peer)));

    private static KeyValuePair<string, object?> Peer(PeerStatus peer) => new("peer", peer.Id);

    private static long Bit(bool isSo) => isSo ? 1 : 0;

    private void Gauge(string name, string help, Func<long> value, string? unit = null) => _meter.CreateObservableGauge(name, value, unit, help);

    private void Gauge(string name, string help, Func<IEnumerable<Measurement<long>>> values, string? unit = null) =>
        _meter.CreateObservableGauge(name, values, unit, help);

    private void Counter(string name, string unit, string help, Func<long> value) => _meter.CreateObservableCounter(name, value, unit, help);
}
