using System.Collections.Concurrent;
using System.Diagnostics;
using System.Security.Cryptography;
using DistDb.Node.Archive;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Storage;
using DistDb.Node.Telemetry;
using DistDb.Node.Transport;

namespace DistDb.Node.Replication;

/// <summary>
/// One node of the cluster, as the layers above see it: writes that are replicated, reads with a chosen consistency, and who leads.
/// Owns the loops and everything they use; Raft itself does not show.
/// </summary>
public sealed partial class ClusterNode : BackgroundService
{
    private const long CatchUpTellMs = 2000;
    private const long UnreadyTellMs = 1000;

    /// <summary>Of the file that SQLite keeps its write-ahead log in.</summary>
    private const string WalSuffix = "-wal";

    /// <summary>A node that is further behind than this, in entries, catches up and is not ready.</summary>
    private const long LagMax = 1000;

    /// <summary>Bytes of a write's result rows for which no memory is set apart: with the most requests at once, 64 MiB.</summary>
    private const long ResultBytesFree = 16 << 10;

    private static readonly TimeSpan _sweepInterval = TimeSpan.FromMilliseconds(50);

    private readonly NodeFolder _folder;
    private readonly ClusterSettings _cluster;
    private readonly ReplicationOptions _options;
    private readonly long _resultBytesMax;
    private readonly IPeerTransport _transport;
    private readonly ILogger _logger;
    private readonly IHostApplicationLifetime _lifetime;
    private readonly NodeLock _lock;
    private readonly RaftStorage _storage;
    private readonly DatabaseSet _databases;
    private readonly SnapshotInbox _snapshotInbox;
    private readonly SnapshotOutbox _snapshotOutbox;
    private readonly AppliedProgress _applied = new();
    private readonly NodeInstruments _instruments;
    private readonly RequestMeter _meter;
    private readonly PendingWrites _pending;
    private readonly RaftLoop _raft;
    private readonly WriteLoop _writes;
    private readonly MemberDirectory _directory;
    private readonly MembershipManager _membership;
    private readonly FormationWatch _formation;
    private readonly ReadRecorder? _reads;
    private readonly LogArchiver? _archiver;
    private readonly TaskCompletionSource<string> _removed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentDictionary<NodeId, NodeReport> _reports = new();
    private readonly VoterClocks _clocks = new();
    private Leadership? _knownLeadership;
    private Leadership? _loggedLeadership;
    private string? _loggedMembers;
    private long _catchUpToldAtMs;
    private long? _unreadySinceMs;
    private bool _saidReady;
    private volatile bool _isToldToStop;
    private volatile bool _hasEndedWell;

    /// <summary>Opens this node's files. Nothing moves until the service starts.</summary>
    /// <exception cref="NodeLockedException">Another process holds the folder.</exception>
    /// <exception cref="RaftStorageException">The log cannot be opened.</exception>
    /// <exception cref="StorageFailedException">The database cannot be opened.</exception>
    public ClusterNode(
        NodeFolder folder,
        ClusterSettings cluster,
        ReplicationOptions options,
        DatabaseOptions databaseOptions,
        IPeerTransport transport,
        IHostApplicationLifetime lifetime,
        ILogger<ClusterNode> logger,
        NodeInstruments? instruments = null)
    {
        _instruments = instruments ?? new();
        _meter = new(_instruments);
        _cluster = cluster;
        _options = options;
        _resultBytesMax = databaseOptions.ResultBytesMax;
        _transport = transport;
        _logger = logger;
        _lifetime = lifetime;
        _folder = folder;
        Id = folder.Node;
        _formation = new([.. cluster.Addresses.Keys.Where(n => n != Id).Order()], options.FormationPatience);
        using var construction = new Construction(this);
        _lock = NodeLock.Acquire(folder.Path);
        _storage = RaftStorage.Open(folder.RaftLogPath, Id, new() { Instruments = _instruments });
        _directory = new(Id, cluster, transport, _storage.Membership ?? cluster.InitialMembership);

        // Before anything touches the files.
        var areFilesAsLeft = FilesAtRest.TakeNote(folder.DatabasesPath, folder.FilesAtRestPath);
        areFilesAsLeft &= !SnapshotInstallation.Recover(folder, _storage);
        _databases = new(folder.DatabasesPath, databaseOptions);
        var repair = OpenDatabases(folder);
        var applied = repair is null ? new LogIndex(_databases.AppliedIndex) : LogIndex.Zero;
        if (repair is null && _databases.MainIndex > _storage.LastIndex.Value)
        {
            throw new RaftStorageException(
                $"The Raft log {folder.RaftLogPath} ends at entry {_storage.LastIndex}, but the database {_databases.MainPath} is already at entry {_databases.MainIndex}: the log was lost or replaced by an older copy. Nothing was changed. Start this node once with --rebuild: its files are put aside, and it learns everything from the other nodes.");
        }

        var core = new RaftNode(
            Id,
            _storage.LogId,
            cluster.InitialMembership,
            _storage.IsHeldBack,
            _storage.HardState,
            _storage,
            LogIndex.Max(applied, _storage.BaseIndex),
            options.Raft,
            new Random(RandomNumberGenerator.GetInt32(int.MaxValue)));
        _pending = new(Id, BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)), options)
        {
            Forward = Forward,
            DescribeQuorum = DescribeQuorum,
        };
        _desk = new(options, Forward);
        _raft = new(core, _storage, transport.Send, options)
        {
            PartCountOf = transport.PartCountOf,
            IsHesitant = () => IsHesitant,
            IsFit = IsTrustedPeer,
        };
        _writes = new(_databases, folder, _storage, _raft, _pending, _applied, transport.Send, options, _instruments) { Repair = repair };
        _membership = new(Id, _storage.LogId, cluster.AddressOf(Id), _raft, transport, _writes.Propose, () => Master);
        _raft.LeadershipChanged = OnLeadershipChanged;
        _raft.MembershipChanged = OnMembershipChanged;
        _raft.Committed = _writes.Committed;
        _snapshotOutbox = new(
            folder.SnapshotPath,
            _databases,
            _storage.TermAt,
            () => _raft.Leadership.Term,
            transport.Send,
            LogSnapshotProblem,
            ReplicationOptions.KeptLogTails * options.LogTailBytesMax,
            _instruments);
        _snapshotOutbox.Clear();
        if (Directory.Exists(folder.TransferPath))
        {
            Directory.Delete(folder.TransferPath, recursive: true);
        }

        _snapshotInbox = new(folder.SnapshotPath, transport.Send, _writes.Install, LogSnapshotProblem, instruments: _instruments);
        _raft.SnapshotWanted = _snapshotInbox.Want;
        _archiver = options.Archive is { } archive ? CreateArchiver(archive) : null;
        _writes.KeepLogFrom = KeepLogFrom;
        _writes.SnapshotDone = (snapshot, isInstalled) =>
        {
            _snapshotInbox.Installed();
            if (isInstalled)
            {
                LogSnapshotInstalled(snapshot.Index);
                OnContentReplaced();
            }
        };
        _schedule = new(Id, options.VerifyInterval);
        _mustBeVerified |= options.VerifyInterval > TimeSpan.Zero && !areFilesAsLeft;
        _verifier = CreateVerifier();
        _opinions = new(Id, _writes.Opinions, () => Membership, () => Peers, transport.Send) { Settled = _writes.TrustChanged };
        _writes.Differed = OnDiffered;
        _writes.Overruled = OnOverruled;
        _writes.TransactionAnswered = _desk.Answered;
        _writes.VerifyApplied = _verifier.Begin;
        _writes.RepairBegins = OnRepairBegins;
        _writes.MovedAside = task => LogMovedAside(task.QuarantineFolder, task.MinIndex);
        _writes.IsTrusted = () => IsTrusted;
        _writes.AddressOf = AddressOf;
        _writes.BoundTime = ownMs => _clocks.Bound(ownMs, Membership.Voters.Where(v => v != Id), Environment.TickCount64);
        _reads = options.RecordsReads
            ? new(reads => SubmitAsync(new RecordReadsOperation(reads), CancellationToken.None), options.TimeProvider, LogReadsLost)
            : null;
        transport.Introduce(Introduce, OnPeerMessage);
        transport.Expelled = Expel;
        _directory.Update(core.Membership, core.MembershipIndex <= core.CommitIndex, isNews: false);
        construction.IsDone = true;
    }

    public NodeId Id { get; }

    /// <summary>The longest that a request may take.</summary>
    public TimeSpan RequestTimeout => _options.RequestTimeout;

    /// <summary>The cluster's identity, or empty until the first leader has given it one.</summary>
    public Guid ClusterId => _writes.ClusterId;

    /// <summary>Who may change the schema.</summary>
    public NodeId Master => _writes.MasterNode;

    public NodeId? Leader => _raft.Leadership.Leader;

    public Role Role => _raft.Leadership.Role;

    public Term Term => _raft.Leadership.Term;

    public LogIndex CommitIndex => _raft.CommitIndex;

    public LogIndex AppliedIndex => _applied.Index;

    /// <summary>The oldest entry that the log still holds; one behind the last where it holds none.</summary>
    public LogIndex FirstLogIndex => _storage.BaseIndex.Next;

    public LogIndex LastLogIndex => _storage.LastIndex;

    /// <summary>Bytes that have arrived, and bytes in all, of a snapshot that this node is fetching; null where it fetches none.</summary>
    public (long Arrived, long Total)? SnapshotProgress => _snapshotInbox.Progress;

    /// <summary>Every other member of the cluster.</summary>
    public IReadOnlyList<NodeId> Peers => _directory.Peers;

    /// <summary>Whether the cluster knows this node by the log that it has now: not before it was taken in, or taken in again.</summary>
    public bool IsKnown => Membership.Find(Id)?.LogId == _storage.LogId;

    /// <summary>Who belongs to the cluster, as this node's log has it.</summary>
    public Membership Membership => _directory.Membership;

    /// <summary>What this node did since its start.</summary>
    public NodeCounters Counters
    {
        get
        {
            var (writes, batches) = _writes.Counts;
            return new(_storage.SyncCount, writes, batches, _pending.Count, _meter.Reads, _meter.ReadP99Ms, _meter.WriteP99Ms);
        }
    }

    /// <summary>What waits at this node, and the bounds of it.</summary>
    public QueueView Queue
    {
        get
        {
            var (writes, bytes) = _writes.QueueSize;
            return new(_pending.Count, _options.PendingWritesMax, _pending.Bytes, _options.PendingBytesMax, writes, bytes);
        }
    }

    /// <summary>How large this node's files are now.</summary>
    public StorageView Storage => new(
        _storage.EntryBytes,
        SizeOf(_folder.RaftLogPath) + SizeOf(_folder.RaftLogPath + WalSuffix),
        _databases.TotalByteCount,
        Databases.Sum(d => SizeOf(DatabaseFile.PathIn(_databases.Folder, d) + WalSuffix)),
        _databases.OpenCount);

    /// <summary>Whether a leader is known and the database is not far behind what is committed: requests will be served.</summary>
    public bool IsReady => Leader is not null && ClusterId != Guid.Empty && CommitIndex - AppliedIndex < LagMax && IsKnown && _hasCaughtUp && !IsClosed;

    /// <summary>Why this node is not ready, in one respect, as a sentence; null where that is as it should be.</summary>
    public string? ProblemWith(ReadinessAspect aspect) => aspect switch
    {
        ReadinessAspect.Leader when Leader is null => $"This node knows of no leader: {DescribeQuorum()}",
        ReadinessAspect.Membership when ClusterId == Guid.Empty => "The cluster has yet to begin, or this node to hear of it.",
        ReadinessAspect.Membership when !IsKnown => "This node is not a member of the cluster (yet).",
        ReadinessAspect.Progress when SnapshotProgress is { } s => $"This node fetches a copy of the databases; {s.Arrived >> 20} of {s.Total >> 20} MiB have arrived.",
        ReadinessAspect.Progress when CommitIndex - AppliedIndex >= LagMax => $"This node has applied entry {AppliedIndex} of {CommitIndex}.",
        ReadinessAspect.Progress when !_hasCaughtUp => "This node has yet to catch up with the others since its start.",
        ReadinessAspect.Content when Repair is { } repair => $"{repair.Reason} {repair.Step}",
        _ => null,
    };

    /// <summary>Size of a database's file in bytes, without what SQLite's write-ahead log still holds.</summary>
    public long BytesOf(string database) => _databases.ByteCount(database);

    /// <inheritdoc cref="DatabaseSet.HasForeignKeys"/>
    public bool HasForeignKeys(string database) => _databases.HasForeignKeys(database);

    /// <summary>All databases that clients know of, in the order of their names.</summary>
    public IReadOnlyCollection<string> Databases => [.. _databases.Names.Where(n => !DatabaseName.IsStaging(n))];

    public PeerView ViewOf(NodeId peer)
    {
        var link = _transport.StateOf(peer);

        // Said in full: a bare null would become an empty memory.
        ReadOnlyMemory<byte>? status = _reports.TryGetValue(peer, out var report) ? report.Status : default(ReadOnlyMemory<byte>?);
        return new(link.IsConnected, link.Problem, link.LastContact, status);
    }

    /// <summary>Tells all peers about this node.</summary>
    /// <param name="status">As <see cref="PeerView.Report"/> gives it there.</param>
    public void Report(ReadOnlyMemory<byte> status)
    {
        foreach (var peer in Peers)
        {
            _transport.Send(peer, new NodeReport(Now.ToUnixTimeMilliseconds(), IsTrusted, status));
        }
    }

    /// <summary>
    /// Replicates a write. When it answers <see cref="WriteResult.Done"/>, a majority has it on disk and this node has applied it.
    /// A failure of other nodes in between is waited out, and does not make it happen twice.
    /// </summary>
    /// <param name="write">What is to be done; its <see cref="WriteCommand.Id"/> is given here.</param>
    /// <param name="timeout">How long the client waits, up to <see cref="RequestTimeout"/>; the leader executes nothing for it later than that.</param>
    /// <param name="memory">What the rows that it returns are counted on, before it is executed; null where nothing counts them.</param>
    /// <param name="cancellationToken">Ends the waiting, not the write.</param>
    public async Task<WriteResult> WriteAsync(WriteCommand write, TimeSpan timeout, MemoryShare? memory, CancellationToken cancellationToken)
    {
        if (Refusal() is { } refusal)
        {
            return new WriteResult.NotDone(refusal);
        }

        var started = Stopwatch.GetTimestamp();
        var deadline = Deadline.After(timeout);
        using var span = Leader == Id ? null : NodeTracing.Start("forward", ActivityKind.Client);
        span?.SetTag("distdb.leader", Leader?.Value);
        var result = await SubmitAsync(write, deadline, memory, cancellationToken).ConfigureAwait(false);
        if (result is WriteResult.Done { Index: var index } && index > AppliedIndex)
        {
            // Done before, under the same key, and this node lags: the client must find its write here.
            using var patience = Timeout(deadline, cancellationToken);
            try
            {
                await _applied.WaitForAsync(index, patience.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
            {
                return new WriteResult.NotDone(new(
                    FailureCode.OutcomeUnknown,
                    $"The write was done before, in entry {index}, but this node lags behind and cannot show it yet. Send it again with the same id, here or to another node."));
            }
        }

        if (result is WriteResult.NotDone { Failure.Code: FailureCode.NotMaster } && Master == Id)
        {
            // This node was away when the master's role moved: it must know before it says where the master is.
            await WaitForFreshnessAsync(isStrong: true, LogIndex.Zero, deadline, cancellationToken).ConfigureAwait(false);
        }

        if (result is WriteResult.Done)
        {
            _meter.CountWrite(started);
        }

        return result;
    }

    /// <summary>Reads from one of this node's databases.</summary>
    /// <param name="database">Its name.</param>
    /// <param name="statement">The query.</param>
    /// <param name="isStrong">Linearizable: everything that was answered anywhere before is seen. Takes a majority.</param>
    /// <param name="minIndex">Waits until this node has applied that much; zero for what there is.</param>
    /// <param name="limits">What it may take; its time covers all of the waiting, reading, and taking of the rows.</param>
    /// <param name="cancellationToken">Ends the query too, also while its rows are taken.</param>
    public async Task<QueryResult> QueryAsync(
        string database, Statement statement, bool isStrong, LogIndex minIndex, ReadLimits limits, CancellationToken cancellationToken)
    {
        using var span = NodeTracing.Start("query");
        var started = Stopwatch.GetTimestamp();
        var deadline = Deadline.After(limits.Time);
        if (Refusal() is { } refusal)
        {
            return new QueryResult.NotDone(refusal);
        }

        if (isStrong && await WaitForTrustAsync(deadline, cancellationToken).ConfigureAwait(false) is { } distrust)
        {
            return new QueryResult.NotDone(distrust);
        }

        if ((isStrong || minIndex > AppliedIndex)
            && await WaitForFreshnessAsync(isStrong, minIndex, deadline, cancellationToken).ConfigureAwait(false) is { } failure)
        {
            return new QueryResult.NotDone(failure);
        }

        var index = AppliedIndex;
        var (outcome, lease) = await ReadAsync<ReadOutcome>(
            database,
            readers => readers.QueryAsync(statement, limits with { Time = deadline.Remaining }, cancellationToken),
            failure => new ReadOutcome.Failed(failure),
            goesOn: read => read is ReadOutcome.RowsBegun,
            cancellationToken).ConfigureAwait(false);
        if (outcome is null || IsClosed)
        {
            // The content turned out to be bad meanwhile.
            (outcome as ReadOutcome.RowsBegun)?.Rest.Dispose();
            lease?.Dispose();
            return new QueryResult.NotDone(ClosedFailure());
        }

        if (outcome is ReadOutcome.RowsRead or ReadOutcome.RowsBegun)
        {
            _meter.CountRead(started);
        }

        return outcome switch
        {
            ReadOutcome.RowsRead { Rows: var rows } => new QueryResult.Done(index, rows),
            ReadOutcome.RowsBegun { First: var first, Rest: var rest } => new QueryResult.Begun(index, first, new(rest, lease!, ReadOn, ClosedFailure)),
            ReadOutcome.NotARead { IsSchema: var isSchema } => new QueryResult.NotARead(isSchema),
            ReadOutcome.Failed { Failure: var failed } => new QueryResult.NotDone(failed),
            _ => throw new UnreachableException(outcome.GetType().Name),
        };
    }

    /// <summary>Whether this node has the reads that it answers recorded in the query history.</summary>
    public bool RecordsReads => _reads is not null;

    /// <summary>
    /// Has a read that was answered recorded in the query history, where this node is to do that. Reads of the history itself are not: whoever follows it would
    /// be all that it shows.
    /// </summary>
    /// <param name="client">The client's IP address.</param>
    /// <param name="token">The name of its token, or null.</param>
    /// <param name="database">The database.</param>
    /// <param name="sql">The statement.</param>
    public void RecordRead(string client, string? token, string database, string sql)
    {
        if (database != DatabaseName.HistoryQuery.Value)
        {
            _reads?.Add(client, token, database, sql);
        }
    }

    /// <summary>A member's base address without a slash at its end, such as <c>http://127.0.0.1:8081</c>; empty for a stranger.</summary>
    public string AddressOf(NodeId node) => _directory.AddressOf(node);

    /// <summary>Moves the master's role, through the log.</summary>
    /// <param name="node">The new master, a voting member.</param>
    /// <param name="cancellationToken">Ends the waiting, not the operation.</param>
    public Task<WriteResult> PromoteAsync(NodeId node, CancellationToken cancellationToken) =>
        SubmitAsync(new PromoteOperation(node.Value), cancellationToken);

    /// <summary>Removes a member for good. Null once that is committed, else why it was not done.</summary>
    /// <param name="node">The member.</param>
    /// <param name="cancellationToken">Ends the waiting, not the change.</param>
    public Task<Failure?> RemoveMemberAsync(NodeId node, CancellationToken cancellationToken) =>
        ChangeMembershipAsync(new RemoveChange(node), cancellationToken);

    /// <summary>Records that a member is reached elsewhere. Null once that is committed, else why it was not done.</summary>
    /// <param name="node">The member.</param>
    /// <param name="address">Its base address, without a slash at its end.</param>
    /// <param name="cancellationToken">Ends the waiting, not the change.</param>
    public Task<Failure?> MoveMemberAsync(NodeId node, string address, CancellationToken cancellationToken) =>
        ChangeMembershipAsync(new AddressChange(node, address), cancellationToken);

    /// <summary>For an orderly stop: lets another node lead and lets what is under way finish, within a moment.</summary>
    public async Task DrainAsync()
    {
        if (ExecuteTask is null or { IsCompleted: true } || _removed.Task.IsCompleted)
        {
            return;
        }

        using var patience = new CancellationTokenSource(_options.HandOverPatience);
        try
        {
            await _raft.HandOverLeadershipAsync(peer => _transport.StateOf(peer).IsConnected).WaitAsync(patience.Token).ConfigureAwait(false);
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(10));
            while (_pending.Count > 0 && await timer.WaitForNextTickAsync(patience.Token).ConfigureAwait(false))
            {
            }
        }
        catch (OperationCanceledException)
        {
            LogHandOverIncomplete(_pending.Count);
        }
    }

    /// <summary>Stops the loops where the host did not, waits for them, and closes the files.</summary>
    public override void Dispose()
    {
        // A host that fails to start, or that loses patience, disposes of what still runs; and SQLite does not survive the closing of
        // a file that another thread is using.
        base.Dispose();
        if (ExecuteTask is { } execution)
        {
            Task.WaitAny(execution);
        }

        CloseFiles();
    }

    public override Task StopAsync(CancellationToken cancellationToken)
    {
        _isToldToStop = true;
        return base.StopAsync(cancellationToken);
    }

    /// <summary>Closes as much as was opened, and lets the folder go.</summary>
    private void CloseFiles()
    {
        // Where nothing is ever compared, a node is trusted without that; it must not be once somebody wants comparisons.
        var isContentGood = _isToldToStop && _hasEndedWell && IsTrusted && _options.VerifyInterval > TimeSpan.Zero;
        _verifier?.Dispose();
        _archiver?.Dispose();
        _writes?.Dispose();
        _raft?.Dispose();
        _snapshotInbox?.Dispose();
        _snapshotOutbox?.Dispose();
        _databases?.Dispose();
        if (isContentGood)
        {
            NoteFilesAtRest();
        }

        _storage?.Dispose();
        _lock?.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var raft = RunOnThread("distdb raft", _raft.Run);
        var writes = RunOnThread("distdb writes", _writes.Run);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
        List<Task> all = [raft, writes, SweepAsync(stop.Token)];
        if (_archiver is not null)
        {
            all.Add(ArchiveAsync(_archiver, stop.Token));
        }

        await Task.WhenAny([.. all, _removed.Task]).ConfigureAwait(false);

        // Either the host stops, or one of them failed; then the node must not go on with the rest.
        await stop.CancelAsync().ConfigureAwait(false);
        _writes.Stop();
        _raft.Stop();
        _pending.Stop();
        _desk.Stop();
        try
        {
            await Task.WhenAll(all).ConfigureAwait(false);
            _archiver?.Sweep(isLast: true);
            if (_removed.Task.IsCompleted)
            {
                Environment.ExitCode = 1;
                var reason = await _removed.Task.ConfigureAwait(false);
                LogStopped(reason);
                _lifetime.StopApplication();
            }
            else
            {
                _hasEndedWell = true;
            }
        }
        catch (Exception e)
        {
            Environment.ExitCode = 1;
            if (e is RaftStorageException or StorageFailedException or ReplicaDivergedException or IOException or UnauthorizedAccessException)
            {
                LogStopped(e.Message);
            }
            else
            {
                LogBroken(e);
            }

            _lifetime.StopApplication();
        }
    }

    private static long SizeOf(string path) => new FileInfo(path) is { Exists: true } file ? file.Length : 0;

    private static Task RunOnThread(string name, Action run)
    {
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        new Thread(() =>
        {
            try
            {
                run();
                ended.SetResult();
            }
            catch (Exception e)
            {
                ended.SetException(e);
            }
        })
        {
            Name = name,
            IsBackground = true,
        }.Start();
        return ended.Task;
    }

    private static CancellationTokenSource Timeout(Deadline deadline, CancellationToken cancellationToken)
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        source.CancelAfter(deadline.Remaining);
        return source;
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        using var timer = new PeriodicTimer(_sweepInterval);
        try
        {
            while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false))
            {
                _pending.Sweep();
                SweepTransactions();
                _membership.Sweep();
                WatchFormation();
                TellCatchUp();
                _snapshotInbox.Sweep();
                _snapshotOutbox.Sweep();
                SweepOpinions();
                SweepRepair();
                SweepVerification();
                _reads?.Sweep();
                SweepCatchUp();
                SweepInitialToken();
                SweepStaging();
                TellReadiness();
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }

    /// <summary>Null once this node has applied enough.</summary>
    private async Task<Failure?> WaitForFreshnessAsync(bool isStrong, LogIndex minIndex, Deadline deadline, CancellationToken cancellationToken)
    {
        using var timeout = Timeout(deadline, cancellationToken);
        var wanted = minIndex;
        var isConfirmed = !isStrong;
        try
        {
            if (isStrong)
            {
                wanted = LogIndex.Max(wanted, await _raft.ReadIndexAsync(timeout.Token).ConfigureAwait(false));
                isConfirmed = true;
            }

            await _applied.WaitForAsync(wanted, timeout.Token).ConfigureAwait(false);
            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return isConfirmed
                ? BehindFailure(wanted)
                : new(FailureCode.NoQuorum, $"A strong read needs a majority of nodes: {DescribeQuorum()} Use consistency \"local\" to read what this node has.");
        }
    }

    private Failure BehindFailure(LogIndex wanted) => new(
        FailureCode.Timeout,
        $"This node has applied the log up to {AppliedIndex} and did not reach {wanted} in time. Try again, or ask another node.");

    private string DescribeQuorum()
    {
        string[] missing = [.. Peers.Where(p => !_transport.StateOf(p).IsConnected).Select(p => $"node {p}")];
        var state = Leader is null ? "no leader could be elected" : "the leader did not answer in time";
        return missing.Length == 0
            ? $"{state}, though all nodes can be reached."
            : $"{state}; this node cannot reach {string.Join(" and ", missing)}.";
    }

    private void Forward(NodeId leader, ForwardedWrite write)
    {
        if (leader == Id)
        {
            _writes.Enqueue(write);
        }
        else
        {
            _transport.Send(leader, write);
        }
    }

    private void Forward(NodeId leader, TransactionRequest request)
    {
        if (leader == Id)
        {
            _writes.Enqueue(Id, request);
        }
        else
        {
            _transport.Send(leader, request);
        }
    }

    private PeerIdentity Introduce() => new()
    {
        Node = Id.Value,
        LogId = _storage.LogId,
        HasHistory = _storage.LastIndex > LogIndex.Zero,
        Address = _cluster.AddressOf(Id),
        IsJoining = _cluster.IsJoining && !IsKnown,
        ClusterSize = _cluster.Addresses.Count,
        ClusterId = _storage.ClusterId ?? ClusterId,
        SqliteFingerprint = SqliteLibrary.Fingerprint,
        Version = BuildVersion.Current,
        IsTrusted = IsTrusted,
    };

    private void OnPeerMessage(NodeId from, PeerMessage message)
    {
        switch (message)
        {
            case RaftPeerMessage { Message: var raft }:
                _raft.Receive(raft);
                break;
            case ForwardedWrite write when write.Command.Id.Node == from.Value:
                _writes.Enqueue(write);
                break;
            case TransactionRequest request:
                _writes.Enqueue(from, request);
                break;
            case TransactionReply reply:
                _desk.Answered(reply);
                break;
            case WriteRefused refused:
                _pending.Refused(refused.Id, refused.Term, refused.Failure);
                break;
            case WriteRemembered remembered:
                _pending.Remembered(remembered.Id, remembered.Term, remembered.Index, remembered.Results);
                break;
            case SnapshotRequest when !MayGiveSnapshotTo(from):
                // It asks elsewhere, or again.
                NoteCopyRefused();
                break;
            case SnapshotRequest request:
                _ = _snapshotOutbox.OfferAsync(from, request.MinIndex);
                break;
            case SnapshotChunkRequest request:
                _ = _snapshotOutbox.SendChunkAsync(from, request);
                break;
            case SnapshotOffer offer:
                // One from a later term may hold what the leader that this node still follows never had. The next offer comes when that
                // term is known here.
                if (offer.MadeIn <= _storage.HardState.Term && (_writes.Repair is not { } repair || offer.Index >= repair.MinIndex))
                {
                    _snapshotInbox.OnOffer(from, offer);
                }

                break;
            case SnapshotChunk chunk:
                _snapshotInbox.OnChunk(from, chunk);
                break;
            case MembershipRequest request:
                _membership.OnRequest(from, request);
                break;
            case MembershipRefused refused:
                _membership.OnRefused(refused);
                break;
            case VerifyReport or VerifyKeysRequest or VerifyKeys or VerifyFindings:
                _verifier.Receive(from, message);
                break;
            case ReplayOpinion opinion:
                _opinions.Receive(from, opinion, Environment.TickCount64);
                break;
            case NodeReport report:
                _reports[from] = report;
                _clocks.Hear(from, report.ClockMs, Environment.TickCount64);
                break;
            default:
                LogIgnored(from, message.GetType().Name);
                break;
        }
    }

    private void OnLeadershipChanged(Leadership leadership)
    {
        // The write loop first: what it drops can then be sent to the new leader.
        _writes.LeadershipChanged(leadership);
        _pending.LeadershipChanged(leadership);
        _desk.LeadershipChanged(leadership);
        if (leadership.Role == Role.Candidate && (_knownLeadership is not { Role: Role.Candidate } known || known.Term != leadership.Term))
        {
            _instruments.ElectionBegun();
            LogElection(leadership.Term);
        }

        _knownLeadership = leadership;
        if (leadership.Leader != _loggedLeadership?.Leader && leadership.Leader is { } leader)
        {
            _loggedLeadership = leadership;
            _instruments.LeaderChanged();
            LogLeader(leader, leadership.Term);
        }
    }

    /// <summary>Why this node serves nobody now, or null.</summary>
    private Failure? Refusal() =>
        IsClosed ? ClosedFailure()
        : IsKnown ? null
        : new(
            FailureCode.NotReady,
            Membership.Find(Id) is null && !_cluster.IsJoining
                ? "This node is not a member of the cluster any more. Nothing was done; ask another node."
                : "This node has yet to be taken into the cluster, and does not have its data until then. Nothing was done; ask another node, or this one again in a while.");

    private async Task<Failure?> ChangeMembershipAsync(MembershipChange change, CancellationToken cancellationToken)
    {
        using var timeout = Timeout(Deadline.After(_options.RequestTimeout), cancellationToken);
        try
        {
            return await _membership.ChangeAsync(change, timeout.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new(FailureCode.OutcomeUnknown, $"The change was not confirmed in time: {DescribeQuorum()} It may still be made; ask for it again, which does no harm.");
        }
    }

    private void OnMembershipChanged(ClusterView view)
    {
        _directory.Update(view.Membership, view.IsCommitted, view.IsNews);
        if (view.IsCommitted && view.Membership.Removed.TryGetValue(Id, out var logId) && logId == _storage.LogId)
        {
            Expel($"node {Id} was removed from this cluster");
        }

        if (view.Membership.ToString() is var members && members != _loggedMembers)
        {
            _loggedMembers = members;
            LogMembers(members);
        }
    }

    /// <summary>This node is not to go on: its files may be behind, and nobody counts on it any more.</summary>
    private void Expel(string reason) => _removed.TrySetResult(
        $"{char.ToUpperInvariant(reason[0])}{reason[1..]}. Its files are kept in {_folder.Path}; to take it in again, start it once with --rebuild and --join <address of any node>.");

    private void WatchFormation()
    {
        if (!_storage.IsHeldBack || _cluster.IsJoining)
        {
            return;
        }

        if (_formation.IsNewCluster(_transport.IdentityOf))
        {
            _raft.Release();
        }
        else if (_formation.TakeWarning() && _formation.Missing(_transport.IdentityOf) is { Count: > 0 } missing)
        {
            var names = string.Join(" and ", missing.Select(m => $"node {m} at {AddressOf(m)}"));
            LogForming(names);
        }
    }

    /// <summary>Says when this node begins to serve, and when it has not served for a moment: elections, which end at once, are no news.</summary>
    private void TellReadiness()
    {
        var isReady = IsReady;
        if (isReady)
        {
            _unreadySinceMs = null;
        }
        else
        {
            _unreadySinceMs ??= Environment.TickCount64;
        }

        if (isReady && !_saidReady)
        {
            _saidReady = true;
            LogReady();
        }
        else if (_saidReady && Environment.TickCount64 - _unreadySinceMs > UnreadyTellMs)
        {
            _saidReady = false;
            var problems = string.Join(' ', Enum.GetValues<ReadinessAspect>().Select(ProblemWith).OfType<string>());
            LogUnready(problems);
        }
    }

    /// <summary>Says every few seconds how far this node is, while it has much to catch up.</summary>
    private void TellCatchUp()
    {
        var now = Environment.TickCount64;
        if (now - _catchUpToldAtMs < CatchUpTellMs)
        {
            return;
        }

        if (SnapshotProgress is { } snapshot)
        {
            _catchUpToldAtMs = now;
            LogSnapshotProgress(snapshot.Arrived >> 20, snapshot.Total >> 20);
        }
        else if (CommitIndex - AppliedIndex > LagMax)
        {
            _catchUpToldAtMs = now;
            LogCatchUp(AppliedIndex, CommitIndex);
        }
    }

    /// <summary>
    /// Small results are covered by what each request may take anyway. Where one is larger, the leader undoes the write and says how much it is; only
    /// when that is set apart here, the write is sent again, to be done.
    /// </summary>
    private async Task<WriteResult> SubmitAsync(WriteCommand write, Deadline deadline, MemoryShare? memory, CancellationToken cancellationToken)
    {
        if (memory is null)
        {
            return await _pending.SubmitAsync(write, deadline, _resultBytesMax).WaitAsync(cancellationToken).ConfigureAwait(false);
        }

        long setApart = 0;
        while (true)
        {
            var result = await _pending.SubmitAsync(write, deadline, Math.Min(ResultBytesFree + setApart, _resultBytesMax))
                .WaitAsync(cancellationToken).ConfigureAwait(false);
            if (result is not WriteResult.NotDone { Failure.ResultBytes: { } needed })
            {
                return result;
            }

            if (needed > _resultBytesMax)
            {
                return new WriteResult.NotDone(new(FailureCode.TooLarge, StatementRunner.ResultTooLarge));
            }

            var missing = Math.Max(needed - setApart, 0);
            if (!memory.TryGrow(missing))
            {
                return new WriteResult.NotDone(new(
                    FailureCode.Overloaded,
                    needed > memory.BytesMax
                        ? $"The write returns {needed} bytes, and this node may hold {memory.BytesMax} for all requests (--request-memory). Nothing was done; let it return less."
                        : $"The write returns {needed} bytes, and this node holds as many for requests as it may (--request-memory). Nothing was done; send it again in a moment, or let it return less."));
            }

            setApart += missing;
        }
    }

    private async Task<WriteResult> SubmitAsync(Operation operation, CancellationToken cancellationToken) =>
        await _pending.SubmitAsync(new WriteCommand { Operation = operation }, Deadline.After(_options.RequestTimeout))
            .WaitAsync(cancellationToken).ConfigureAwait(false);

    /// <summary>Closes a node's files where it does not come to be.</summary>
    private sealed class Construction(ClusterNode node) : IDisposable
    {
        public bool IsDone { get; set; }

        public void Dispose()
        {
            if (!IsDone)
            {
                node.CloseFiles();
            }
        }
    }

    [LoggerMessage(EventId = 410, Level = LogLevel.Information, Message = "Catching up: {Arrived} of {Total} MiB of a snapshot have arrived.")]
    private partial void LogSnapshotProgress(long arrived, long total);

    [LoggerMessage(EventId = 411, Level = LogLevel.Information, Message = "Catching up: at entry {Applied} of {Committed}.")]
    private partial void LogCatchUp(LogIndex applied, LogIndex committed);

    [LoggerMessage(EventId = 409, Level = LogLevel.Information, Message = "This node's log is new. It waits to meet {Missing}, to learn whether the cluster is new as well.")]
    private partial void LogForming(string missing);

    [LoggerMessage(EventId = 408, Level = LogLevel.Information, Message = "The cluster's members are {Members}; those in brackets do not vote.")]
    private partial void LogMembers(string members);

    [LoggerMessage(EventId = 401, Level = LogLevel.Information, Message = "Node {Leader} leads term {Term}.")]
    private partial void LogLeader(NodeId leader, Term term);

    [LoggerMessage(EventId = 402, Level = LogLevel.Critical, Message = "{Reason} The node stops.")]
    private partial void LogStopped(string reason);

    [LoggerMessage(EventId = 403, Level = LogLevel.Critical, Message = "A defect in distdb; the node stops before it does harm. What was acknowledged is kept.")]
    private partial void LogBroken(Exception exception);

    [LoggerMessage(EventId = 406, Level = LogLevel.Information, Message = "Installed a snapshot at entry {Index}.")]
    private partial void LogSnapshotInstalled(LogIndex index);

    [LoggerMessage(EventId = 407, Level = LogLevel.Warning, Message = "{Problem}")]
    private partial void LogSnapshotProblem(string problem);

    [LoggerMessage(EventId = 404, Level = LogLevel.Warning, Message = "Ignored a {Kind} from node {From} that it has no right to send.")]
    private partial void LogIgnored(NodeId from, string kind);

    [LoggerMessage(EventId = 412, Level = LogLevel.Warning, Message = "{Count} reads are missing in the query history: the cluster did not take them in time.")]
    private partial void LogReadsLost(int count);

    [LoggerMessage(EventId = 413, Level = LogLevel.Information, Message = "This node serves.")]
    private partial void LogReady();

    [LoggerMessage(EventId = 414, Level = LogLevel.Warning, Message = "This node does not serve: {Problems}")]
    private partial void LogUnready(string problems);

    [LoggerMessage(EventId = 415, Level = LogLevel.Debug, Message = "This node stands for election in term {Term}.")]
    private partial void LogElection(Term term);

    [LoggerMessage(EventId = 405, Level = LogLevel.Information, Message = "Stopping without having handed over everything; {Count} writes were under way.")]
    private partial void LogHandOverIncomplete(int count);
}
