using System.Globalization;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Storage;

namespace DistDb.Node.Replication;

/// <summary>Whether this node's content is what it must be, and what happens where it is not.</summary>
public sealed partial class ClusterNode
{
    /// <summary>Longer than pinned content is kept anywhere: then no more will come.</summary>
    private static readonly TimeSpan _verifyPatience = TimeSpan.FromSeconds(150);

    private const long HealerPatienceMs = 2000;
    private const long HandOverAgainMs = 1000;

    // Longer than a comparison of content takes, where it is small. A peer that needs a copy asks every second.
    private const long CopyRefusedPatienceMs = 3000;
    private const long CopyRefusedAgainMs = 15_000;
    private const long CopyAskedAgainMs = 2000;

    private readonly Verifier _verifier;
    private readonly VerificationSchedule _schedule;
    private volatile bool _mustBeVerified;
    private volatile bool _isKnownBad;
    private volatile string? _closedBecause;
    private DateTimeOffset _closedSince;
    private NodeId? _healer;
    private long _handOverAtMs;
    private long _copyRefusedSinceMs;
    private long _copyRefusedAtMs;

    /// <summary>What the last verification found, as far as this node knows; null if there was none since its start.</summary>
    public VerificationResult? Verification => _verifier.Last;

    /// <summary>That this node is replacing its content, or waits to learn whether it must; or null.</summary>
    public RepairView? Repair
    {
        get
        {
            var task = _writes.Repair;
            return (task?.Reason ?? _closedBecause) is { } reason ? new(reason, task?.Since ?? _closedSince, DescribeRepair(), task?.QuarantineFolder)
                : _writes.Opinions.Disagreement is { } disagreement ? new(disagreement.Reason, disagreement.Since, Describe(disagreement), null)
                : null;
        }
    }

    /// <summary>Whether this node serves nobody, because its content is bad, or may be.</summary>
    private bool IsClosed => _closedBecause is not null || _writes.Repair is not null || _writes.Opinions.Disagreement is not null;

    /// <summary>Whether what this node holds counts: as a strong read's source, and as what a leader executes writes on.</summary>
    private bool IsTrusted => !IsClosed && !_isKnownBad && (!_mustBeVerified || _verifier.IsVerified) && !_opinions.IsDisputed;

    /// <summary>Whether another voter would execute writes at once if it led, by its own word; this node would have them wait.</summary>
    private bool IsHesitant => !IsTrusted && Membership.Voters.Any(v => v != Id && IsTrustedPeer(v));

    private bool IsTrustedPeer(NodeId peer) =>
        _transport.StateOf(peer) is { IsConnected: true } link
        && (_reports.TryGetValue(peer, out var report) ? report.IsTrusted : link.Identity is { IsTrusted: true });

    /// <summary>
    /// Whether to give copies away. Not of bad content; and not of content that nobody has compared yet, as long as another member is there
    /// that it could be compared with, for a copy would count as a second witness.
    /// </summary>
    private bool MayGiveSnapshotTo(NodeId peer) =>
        !IsClosed && !_isKnownBad
        && (IsTrusted || !Membership.Voters.Any(v => v != Id && v != peer && _transport.StateOf(v).IsConnected));

    /// <summary>
    /// Whether a peer has needed a copy for a while that this node must not give. Its word may be just what it takes to find out who is right; but as
    /// this node leads, the peer cannot go on by the entries that another node may still have.
    /// </summary>
    private bool IsInPeersWay
    {
        get
        {
            var now = Environment.TickCount64;
            return !IsTrusted
                && now - Interlocked.Read(ref _copyRefusedAtMs) < CopyAskedAgainMs
                && now - Interlocked.Read(ref _copyRefusedSinceMs) > CopyRefusedPatienceMs
                && now - _handOverAtMs > CopyRefusedAgainMs;
        }
    }

    private void NoteCopyRefused()
    {
        var now = Environment.TickCount64;
        if (now - Interlocked.Exchange(ref _copyRefusedAtMs, now) > CopyAskedAgainMs)
        {
            Interlocked.Exchange(ref _copyRefusedSinceMs, now);
        }
    }

    /// <summary>Has all nodes compare their content at one log entry, which this adds, and waits for what they find.</summary>
    /// <param name="repairs">Nodes that differ from a majority, or whose files are damaged, replace their content.</param>
    /// <param name="cancellationToken">Ends the waiting, not the verification.</param>
    public async Task<VerifyAnswer> VerifyAsync(bool repairs, CancellationToken cancellationToken)
    {
        if (IsClosed)
        {
            return new VerifyAnswer.NotDone(ClosedFailure());
        }

        var written = await SubmitAsync(new VerifyOperation(repairs), cancellationToken).ConfigureAwait(false);
        if (written is not WriteResult.Done { Index: var index })
        {
            return new VerifyAnswer.NotDone(((WriteResult.NotDone)written).Failure);
        }

        using var patience = Timeout(Deadline.After(_verifyPatience), cancellationToken);
        try
        {
            return new VerifyAnswer.Done(await _verifier.WaitForAsync(index, patience.Token).ConfigureAwait(false));
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new VerifyAnswer.NotDone(IsClosed
                ? ClosedFailure()
                : new(FailureCode.Timeout, $"The verification at entry {index} did not come to an end here. See this node's log, and try again."));
        }
    }

    private Verifier CreateVerifier() => new(Id, _databases, () => Membership, peer => _transport.StateOf(peer).IsConnected, _transport.Send)
    {
        Verified = () =>
        {
            _isKnownBad = false;
            _writes.TrustChanged();
        },
        Condemned = Close,
        Finished = OnVerified,
        Problem = problem => LogVerifyProblem(problem),
    };

    private void OnVerified(VerificationResult result, string? repairReason)
    {
        if (result.Nodes.FirstOrDefault(n => n.Node == Id) is { Health: NodeHealth.Differs or NodeHealth.Damaged }
            && result.Nodes.Any(n => n.Health == NodeHealth.Healthy))
        {
            _mustBeVerified = _isKnownBad = true;
            _snapshotOutbox.GiveUp();
            _verifier.Distrust();
        }

        _instruments.Verified(
            result.Outcome switch
            {
                VerificationOutcome.Equal => "equal",
                VerificationOutcome.Incomplete => "incomplete",
                VerificationOutcome.Differs => "differs",
                _ => "no_majority",
            },
            result.Duration);
        var healthyCount = result.Nodes.Count(n => n.Health == NodeHealth.Healthy);
        switch (result.Outcome)
        {
            case VerificationOutcome.Equal or VerificationOutcome.Incomplete when result.Nodes.All(n => n.Damage is null):
                LogVerified(result.Index, (long)result.Duration.TotalMilliseconds, healthyCount, result.Nodes.Count);
                break;
            case VerificationOutcome.NoMajority:
                LogNoMajority(result.Index, Describe(result));
                break;
            default:
                LogDifferences(result.Index, Describe(result));
                break;
        }

        if (repairReason is not null)
        {
            Close(repairReason);
            _writes.GiveUpDatabase(repairReason);
        }
    }

    private static string Describe(VerificationResult result)
    {
        var nodes = result.Nodes.Select(n => n.Health switch
        {
            NodeHealth.Damaged => $"node {n.Node} is damaged ({n.Damage})",
            NodeHealth.Differs => $"node {n.Node} differs",
            NodeHealth.Silent => $"node {n.Node} did not report",
            NodeHealth.Undecided => $"node {n.Node} is undecided",
            _ => $"node {n.Node} is healthy",
        });
        var tables = result.Differences.Select(
            d => d.Keys.Count == 0 ? $"table {d.Table}: {d.Detail}" : $"table {d.Table}: {d.Detail}, {string.Join("; ", d.Keys)}");
        return string.Join("; ", nodes.Concat(tables));
    }

    /// <summary>No client is served from here on, until a good copy is in place.</summary>
    private void Close(string reason)
    {
        _closedSince = DateTimeOffset.UtcNow;
        _closedBecause ??= reason;
    }

    /// <summary>
    /// Opens the database. Where it is lost, older than what the log still holds, or damaged, it is moved aside at once, and this node begins
    /// without one; so it does where an earlier process had come so far.
    /// </summary>
    /// <returns>What must be done before this node can serve, or null.</returns>
    private RepairTask? OpenDatabases(NodeFolder folder)
    {
        var repair = DatabaseQuarantine.Find(folder);
        if (repair is null)
        {
            if (TryOpenDatabases(folder) is not { } reason)
            {
                return null;
            }

            LogRepairBegins(reason);
            var applied = _databases.IsOpen ? new LogIndex(_databases.AppliedIndex) : LogIndex.Zero;
            repair = DatabaseQuarantine.Begin(folder, reason, LogIndex.Max(applied, _storage.BaseIndex));
        }

        _databases.MoveAside(repair.QuarantineFolder);
        LogMovedAside(repair.QuarantineFolder, repair.MinIndex);
        _mustBeVerified = true;
        Close(repair.Reason);
        return repair;
    }

    /// <summary>Null where the database is open and of use, or why it is not.</summary>
    private string? TryOpenDatabases(NodeFolder folder)
    {
        string reason;
        try
        {
            if (File.Exists(_databases.MainPath) || _storage.BaseIndex == LogIndex.Zero)
            {
                // The history is no user's data: a node alone, which has nobody to heal from, goes on with a new one.
                if (_databases.Open(_storage.BaseIndex.Value, mayRenewHistory: Peers.Count == 0))
                {
                    LogHistoryRenewed(_databases.Folder);
                }

                if (_databases.AppliedIndex >= _storage.BaseIndex.Value)
                {
                    return null;
                }

                reason = $"The databases in {_databases.Folder} are at entry {_databases.AppliedIndex}, but the Raft log {folder.RaftLogPath} begins behind entry {_storage.BaseIndex}: one was lost or replaced by an older copy, and what is missing was cut off the log.";
            }
            else
            {
                reason = $"The database {_databases.MainPath} is gone, and the Raft log {folder.RaftLogPath} begins behind entry {_storage.BaseIndex}, so that it cannot be made anew from it.";
            }
        }
        catch (StorageFailedException e) when (e.IsDamage && Peers.Count > 0)
        {
            return $"A database in {_databases.Folder} is damaged: {e.Reason}.";
        }

        return Peers.Count > 0
            ? reason
            : throw new RaftStorageException($"{reason} Nothing was changed. {NobodyToHealFrom}");
    }

    private const string NobodyToHealFrom =
        "There is no other node that a good copy could be taken from: restore this node's folder from a backup, with the node stopped.";

    /// <summary>On the write loop's thread, before it gives the database up.</summary>
    private void OnRepairBegins(string reason)
    {
        if (Peers.Count == 0)
        {
            throw new ReplicaDivergedException($"{reason} {NobodyToHealFrom}");
        }

        Close(reason);
        _mustBeVerified = true;
        LogRepairBegins(reason);
        _snapshotOutbox.GiveUp();
        _verifier.LetGo();
        if (Role == Role.Leader)
        {
            LogHandsOver();
            _raft.HandOverLeadershipAsync(peer => _transport.StateOf(peer).IsConnected).Wait(_options.HandOverPatience);
        }
    }

    /// <summary>A snapshot has taken the content's place.</summary>
    private void OnContentReplaced()
    {
        // Whoever it came from may not have been compared itself; and that this node's own files were as it left them means nothing any more.
        _mustBeVerified |= _options.VerifyInterval > TimeSpan.Zero;
        _verifier.Distrust();
        _schedule.Restart();
        _isKnownBad = false;
        _unfitHealers = [];
        if (_closedBecause is not null)
        {
            _closedBecause = null;
            LogRepaired();
        }
    }

    private void SweepRepair()
    {
        if (Role == Role.Leader && Environment.TickCount64 - _handOverAtMs > HandOverAgainMs && FindHeirs() is { } isHeir)
        {
            _handOverAtMs = Environment.TickCount64;
            _ = _raft.HandOverLeadershipAsync(isHeir);
        }

        if (_writes.Repair is not { } repair)
        {
            return;
        }

        NodeId[] healers = [.. Healers()];

        // Whoever does not answer is followed by the next.
        NodeId? healer = healers.Length == 0 ? null : healers[Environment.TickCount64 / HealerPatienceMs % healers.Length];
        if (healer is { } asked)
        {
            if (asked != _healer && _snapshotInbox.Progress is null)
            {
                LogAsks(asked, repair.MinIndex);
            }

            // Also while a snapshot arrives: only so is a sender given up that fell silent.
            _snapshotInbox.Want(asked, repair.MinIndex);
        }

        if (healer is null && _healer is not null)
        {
            LogNobodyThere();
        }

        _healer = healer;
    }

    /// <summary>To whom this leader should hand over, as it cannot do what a leader must; null where it should go on.</summary>
    private Func<NodeId, bool>? FindHeirs()
    {
        if (((IsClosed || _isKnownBad) && !IsAboutToBeDecided) || IsInPeersWay)
        {
            // Elected for its log, which is good; but it can execute nothing, nor help others to.
            return peer => _transport.StateOf(peer).IsConnected;
        }

        // It will be able to, once it is verified. To nobody else, lest leadership goes round.
        return IsHesitant && !IsClosed && !_opinions.IsDisputed ? IsTrustedPeer : null;
    }

    /// <summary>Peers that can be reached and may have a good copy, best first: those that a verification found healthy, then the leader.</summary>
    private IEnumerable<NodeId> Healers()
    {
        var verdicts = _verifier.Last?.Nodes.ToDictionary(n => n.Node, n => n.Health) ?? [];
        return Peers
            .Where(p => _transport.StateOf(p).IsConnected && !_unfitHealers.Contains(p) && verdicts.GetValueOrDefault(p) is not (NodeHealth.Differs or NodeHealth.Damaged))
            .OrderByDescending(p => verdicts.TryGetValue(p, out var health) && health == NodeHealth.Healthy)
            .ThenByDescending(p => p == Leader)
            .ThenBy(p => p);
    }

    private void SweepVerification()
    {
        // One that was found bad, and is not to be repaired by itself, waits for whoever decides it.
        if (!IsClosed && !_isKnownBad && _schedule.IsDue(Environment.TickCount64, IsReady, Role == Role.Leader, _mustBeVerified, _verifier))
        {
            // What becomes of it shows when its entry is applied; one that is lost is followed by the next.
            _ = SubmitAsync(new VerifyOperation(Repairs: true), CancellationToken.None);
        }
    }

    /// <summary>So that the next start need not wait for a comparison of what nobody has changed.</summary>
    private void NoteFilesAtRest()
    {
        try
        {
            if (!FilesAtRest.Note(_folder.DatabasesPath, _folder.FilesAtRestPath))
            {
                LogNotAtRest("another program has one open");
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            LogNotAtRest(e.Message);
        }
    }

    /// <summary>Null once what this node holds counts.</summary>
    private async Task<Failure?> WaitForTrustAsync(Deadline deadline, CancellationToken cancellationToken)
    {
        if (IsTrusted)
        {
            return null;
        }

        using var timeout = Timeout(deadline, cancellationToken);
        try
        {
            while (!IsTrusted && !IsClosed)
            {
                if (_mustBeVerified)
                {
                    await _verifier.WaitUntilVerifiedAsync(timeout.Token).ConfigureAwait(false);
                }

                await _opinions.WaitUntilSettledAsync(timeout.Token).ConfigureAwait(false);
            }

            return IsClosed ? ClosedFailure() : null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return IsClosed
                ? ClosedFailure()
                : new(
                    FailureCode.NoQuorum,
                    _opinions.IsDisputed
                        ? "A strong read waits while nodes do not agree on what an entry of the log does, until a majority sides with this node, which did not happen in time; GET /status at the others tells more under \"repair\". Use consistency \"local\" to read what this node has."
                        : "A strong read waits until this node's content was found equal to that of a majority since the node's start, which did not happen in time; GET /status tells more under \"verification\". Ask another node, or use consistency \"local\" to read what this node has.");
        }
    }

    /// <summary>Reads a database; once more where it is dropped or replaced at this very moment, with what is there then.</summary>
    /// <param name="database">The database.</param>
    /// <param name="read">Reads.</param>
    /// <param name="refuse">Makes an outcome of there being no such database.</param>
    /// <param name="goesOn">Whether the reading goes on after this.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>The outcome is null where the file could not be read as what it should be; the lease is there where the reading goes on.</returns>
    private async Task<(T? Outcome, DatabaseLease? Lease)> ReadAsync<T>(
        string database, Func<ReadPool, Task<T>> read, Func<Failure, T> refuse, Func<T, bool> goesOn, CancellationToken cancellationToken)
        where T : class
    {
        while (true)
        {
            DatabaseLease? lease = null;
            var isHandedOn = false;
            try
            {
                lease = await _databases.LeaseAsync(database, cancellationToken).ConfigureAwait(false);
                if (lease is null)
                {
                    return (refuse(DatabaseSet.NoSuchDatabase(database)), null);
                }

                var outcome = await read(lease.Readers).ConfigureAwait(false);
                isHandedOn = goesOn(outcome);
                return (outcome, isHandedOn ? lease : null);
            }
            catch (Exception e) when (e is StorageFailedException or ObjectDisposedException && lease is { IsOver: true })
            {
                // Dropped or replaced at this very moment: once more, with what is there now.
            }
            catch (StorageFailedException e) when (IsClosed || e.IsDamage)
            {
                OnUnreadable(e);
                return (null, null);
            }
            finally
            {
                if (!isHandedOn)
                {
                    lease?.Dispose();
                }
            }
        }
    }

    /// <summary>The same for a query that was begun; null also where the content turned out to be bad meanwhile.</summary>
    private RowBatch? ReadOn(DatabaseLease lease, Func<RowBatch> read)
    {
        try
        {
            var batch = read();
            return IsClosed ? null : batch;
        }
        catch (StorageFailedException) when (lease.IsOver)
        {
            return new([], IsLast: true, ReadPool.Dropped);
        }
        catch (StorageFailedException e) when (IsClosed || e.IsDamage)
        {
            OnUnreadable(e);
            return null;
        }
    }

    private void OnUnreadable(StorageFailedException e)
    {
        if (!IsClosed)
        {
            var reason = $"A query found a database in {_databases.Folder} damaged: {e.Reason}.";
            Close(reason);
            _writes.GiveUpDatabase(reason);
        }
    }

    private Failure ClosedFailure() => new(
        FailureCode.Repairing,
        _closedBecause is null && _writes.Opinions.Disagreement is { } disagreement
            ? $"An entry of the log does something else on this node than its leader recorded, and it is not decided who is right; {Describe(disagreement)} Nothing was done here: ask another node, or this one again in a while."
            : $"This node's copy of the data is not to be trusted, and is being replaced by a copy of another node's; {DescribeRepair()} Nothing was done here: ask another node, or this one again in a while.");

    private string DescribeRepair() => (_snapshotInbox.Progress, _healer) switch
    {
        _ when _writes.Repair is null => "the bad file is about to be moved aside.",
        ({ } progress, _) => string.Create(CultureInfo.InvariantCulture, $"{progress.Arrived} of {progress.Total} bytes have arrived."),
        (_, { } healer) => $"node {healer} is asked for it.",
        _ => "no node that could give one can be reached now, and it goes on trying.",
    };

    [LoggerMessage(EventId = 433, Level = LogLevel.Warning, Message = "The query history in {Folder} was gone, and there is no other node that has it; it begins anew with what the log still has.")]
    private partial void LogHistoryRenewed(string folder);

    [LoggerMessage(EventId = 434, Level = LogLevel.Warning, Message = "What the database files are like at the stop was not noted: {Reason}. The next start compares them with other nodes' before this one counts.")]
    private partial void LogNotAtRest(string reason);

    [LoggerMessage(EventId = 420, Level = LogLevel.Information, Message = "Verified at entry {Index} in {Ms} ms: {Healthy} of {Count} nodes hold the same.")]
    private partial void LogVerified(LogIndex index, long ms, int healthy, int count);

    [LoggerMessage(EventId = 421, Level = LogLevel.Error, Message = "Verification at entry {Index}: {Findings}.")]
    private partial void LogDifferences(LogIndex index, string findings);

    [LoggerMessage(EventId = 422, Level = LogLevel.Error, Message = "Verification at entry {Index} found no majority of nodes with the same content, so nothing was touched: {Findings}.")]
    private partial void LogNoMajority(LogIndex index, string findings);

    [LoggerMessage(EventId = 423, Level = LogLevel.Warning, Message = "{Problem}")]
    private partial void LogVerifyProblem(string problem);

    [LoggerMessage(EventId = 424, Level = LogLevel.Error, Message = "{Reason} This node serves nobody until a copy from another node has taken its place.")]
    private partial void LogRepairBegins(string reason);

    [LoggerMessage(EventId = 425, Level = LogLevel.Information, Message = "Repair: hands leadership over first.")]
    private partial void LogHandsOver();

    [LoggerMessage(EventId = 426, Level = LogLevel.Information, Message = "Repair: the bad file is kept as {File}; a copy that reaches entry {MinIndex} is needed.")]
    private partial void LogMovedAside(string file, LogIndex minIndex);

    [LoggerMessage(EventId = 427, Level = LogLevel.Information, Message = "Repair: asks node {Peer} for a copy that reaches entry {MinIndex}.")]
    private partial void LogAsks(NodeId peer, LogIndex minIndex);

    [LoggerMessage(EventId = 428, Level = LogLevel.Warning, Message = "Repair: no node that could give a copy can be reached; goes on trying.")]
    private partial void LogNobodyThere();

    [LoggerMessage(EventId = 429, Level = LogLevel.Information, Message = "Repair: the copy is in place, and this node serves again; strong reads wait until it is verified.")]
    private partial void LogRepaired();
}
