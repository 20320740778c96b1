using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Transport;

namespace DistDb.Node.Replication;

/// <summary>
/// Compares this node's content with its peers'. The log says at which entry; the write loop pins the content there (<see cref="Begin"/>),
/// and the rest happens beside it: each node reads all it has, tells all others what it comes to, and judges for itself. Where there are
/// differences, one node, the same by everybody's judgement, asks the others for rows and tells all which keys differ. Thread safe.
/// <para>
/// A node knows its own verdict as soon as a majority of voters is known to hold the same; the result as a whole waits for everybody who
/// can be reached.
/// </para>
/// </summary>
internal sealed class Verifier(
    NodeId self, DatabaseSet databases, Func<Membership> members, Func<NodeId, bool> isReachable, Action<NodeId, PeerMessage> send) : IDisposable
{
    /// <summary>Rows that are listed to find differing keys: some megabytes.</summary>
    private const int ListedRowsMax = 100_000;

    /// <summary>Verifications whose content is pinned at once; SQLite cannot begin its write-ahead log anew meanwhile.</summary>
    private const int PinsMax = 8;

    /// <summary>Verifications remembered, so that peers that come later still get an answer.</summary>
    private const int RoundsMax = 16;

    /// <summary>A longer report does not fit a message to a peer. Some ten thousand tables.</summary>
    private const int ReportBytesMax = 32 << 20;

    /// <summary>A peer that cannot be reached is waited for this long, as its link may be on its way.</summary>
    private const long UnreachablePatienceMs = 1000;

    /// <summary>Pinned content is kept this long for peers that are slower.</summary>
    private const long ReportPatienceMs = 60_000;

    private const long KeysPatienceMs = 5000;
    private const long ResendMs = 500;

    private static readonly TimeSpan _lookInterval = TimeSpan.FromMilliseconds(100);

    private readonly Lock _lock = new();
    private readonly SortedDictionary<long, VerificationRound> _rounds = [];
    private readonly List<Task> _running = [];
    private readonly SemaphoreSlim _digestTurn = new(1);
    private CancellationTokenSource _stop = new();
    private TaskCompletionSource _verified = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private VerificationResult? _last;
    private bool _isDisposed;
    private long _lastBegunAtMs = Environment.TickCount64;

    /// <summary>This node was found to hold what a majority holds.</summary>
    public Action Verified { get; init; } = () => { };

    /// <summary>This node was found not to hold what a majority holds, and is to be repaired; why. Its content is still being looked at.</summary>
    public Action<string> Condemned { get; init; } = _ => { };

    /// <summary>A verification is finished; and, where this node is to be repaired because of it, why: its content is not pinned any more.</summary>
    public Action<VerificationResult, string?> Finished { get; init; } = (_, _) => { };

    /// <summary>Something went wrong that an operator should know of.</summary>
    public Action<string> Problem { get; init; } = _ => { };

    /// <summary>The last one that was finished, or null.</summary>
    public VerificationResult? Last => Volatile.Read(ref _last);

    /// <summary>Whether this node was found to hold what a majority holds, since its start or since <see cref="Distrust"/>.</summary>
    public bool IsVerified => Volatile.Read(ref _verified).Task.IsCompleted;

    /// <summary>Whether the newest one is under way here. Older ones, met again in the log, may wait long for nodes that have forgotten them.</summary>
    public bool IsBusy
    {
        get
        {
            lock (_lock)
            {
                return _rounds.Count > 0 && _rounds.Values.Last().IsUnderWay;
            }
        }
    }

    /// <summary>When the last one began, or this node.</summary>
    public long LastBegunAtMs => Interlocked.Read(ref _lastBegunAtMs);

    /// <summary>Waits until this node is verified.</summary>
    /// <exception cref="OperationCanceledException">The token fired first.</exception>
    public Task WaitUntilVerifiedAsync(CancellationToken cancellationToken) => Volatile.Read(ref _verified).Task.WaitAsync(cancellationToken);

    /// <summary>What this node holds must be verified (again) before it counts.</summary>
    public void Distrust()
    {
        lock (_lock)
        {
            if (_verified.Task.IsCompleted)
            {
                _verified = new(TaskCreationOptions.RunContinuationsAsynchronously);
            }
        }
    }

    /// <summary>The content is about to be replaced: gives up all that is pinned, and returns when it is not read any more.</summary>
    public void LetGo()
    {
        Task[] running;
        CancellationTokenSource stopped;
        lock (_lock)
        {
            (stopped, _stop) = (_stop, new());
            running = [.. _running];
        }

        stopped.Cancel();
        Task.WaitAll(running);
        stopped.Dispose();

        // One of them may have come to its end just then.
        Distrust();
    }

    /// <summary>The entry of a verification was just applied. Belongs to the write loop, between two entries.</summary>
    /// <exception cref="ReplicaDivergedException">A file at a database's place is not the one that was written.</exception>
    /// <exception cref="StorageFailedException">The file is damaged.</exception>
    public void Begin(LogIndex index, VerifyOperation operation)
    {
        lock (_lock)
        {
            if (Find(index) is not { } round)
            {
                // From the log of long ago: nobody compares that any more.
                return;
            }

            if (_rounds.Values.Count(r => r.Pin is not null) < PinsMax)
            {
                try
                {
                    round.Pin = databases.Pin();
                }
                catch (StorageFailedException e) when (!e.IsDamage)
                {
                    Problem($"The content at entry {index} cannot be compared with other nodes': {e.Message}");
                }
            }

            round.Repairs = operation.Repairs;
            round.Members = members();
            round.BegunAtMs = Environment.TickCount64;
            Interlocked.Exchange(ref _lastBegunAtMs, round.BegunAtMs.Value);
            var token = _stop.Token;
            RunApart(index, () => RunAsync(round, token));
        }
    }

    /// <summary>The result of the verification at an entry, once it is there.</summary>
    /// <exception cref="OperationCanceledException">The token fired first, or this node's content was replaced meanwhile.</exception>
    public Task<VerificationResult> WaitForAsync(LogIndex index, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return Find(index)?.Completion.Task.WaitAsync(cancellationToken) ?? Task.FromCanceled<VerificationResult>(new(canceled: true));
        }
    }

    /// <summary>Takes in what a peer says of a verification.</summary>
    public void Receive(NodeId from, PeerMessage message)
    {
        switch (message)
        {
            case VerifyReport report:
                TakeReport(from, report);
                break;
            case VerifyKeysRequest request:
                AnswerKeys(from, request);
                break;
            case VerifyKeys keys:
                Take(keys.Index, round => round.Keys[(from, keys.Database, keys.Table)] = ContentCodec.DecodeKeys(keys.Keys.Span));
                break;
            case VerifyFindings findings:
                Take(findings.Index, round => round.Findings = VerificationCodec.Decode(findings.Differences.Span));
                break;
            default:
                throw new System.Diagnostics.UnreachableException(message.GetType().Name);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_isDisposed)
            {
                return;
            }

            _isDisposed = true;
        }

        LetGo();
        lock (_lock)
        {
            foreach (var round in _rounds.Values)
            {
                round.Dispose();
            }

            _rounds.Clear();
        }

        _digestTurn.Dispose();
        _stop.Dispose();
    }

    /// <summary>The round of an index, made where it is not known yet; null for one that is long over. The caller holds the lock.</summary>
    private VerificationRound? Find(LogIndex index)
    {
        if (_rounds.TryGetValue(index.Value, out var known))
        {
            return known;
        }

        while (_rounds.Count >= RoundsMax && _rounds.Values.FirstOrDefault(r => !r.IsUnderWay) is { } oldest)
        {
            if (oldest.Index > index)
            {
                return null;
            }

            oldest.Completion.TrySetCanceled();
            _rounds.Remove(oldest.Index.Value);
        }

        return _rounds[index.Value] = new(index);
    }

    private void Take(LogIndex index, Action<VerificationRound> take)
    {
        lock (_lock)
        {
            if (Find(index) is { } round)
            {
                take(round);
                round.Changed.Release();
            }
        }
    }

    private void TakeReport(NodeId from, VerifyReport report)
    {
        ReadOnlyMemory<byte>? own = null;
        var isVerified = false;
        Take(report.Index, round =>
        {
            round.Reports[from] = ContentCodec.DecodeDigests(report.Digests.Span);
            own = round.OwnReport;

            // A large database may take its peer longer than this node waited.
            isVerified = own is not null && round.Completion.Task.IsCompleted
                && new VerificationJudge(round.Members, new Dictionary<NodeId, IReadOnlyList<DatabaseDigest>>(round.Reports)).Healthy.Contains(self);
        });
        if (isVerified)
        {
            BecomeVerified();
        }

        if (report.WantsAnswer && own is { } digests)
        {
            send(from, new VerifyReport(report.Index, WantsAnswer: false, digests));
        }
    }

    private void AnswerKeys(NodeId from, VerifyKeysRequest request)
    {
        lock (_lock)
        {
            if (_rounds.TryGetValue(request.Index.Value, out var round) && round.Pin is not null)
            {
                var token = _stop.Token;
                RunApart(request.Index, async () =>
                {
                    var buckets = request.Buckets.ToArray().Select(b => (int)b).ToHashSet();
                    if (await ListAsync(round, request.Database, request.Table, buckets, token).ConfigureAwait(false) is { } keys)
                    {
                        send(from, new VerifyKeys(request.Index, request.Database, request.Table, ContentCodec.Encode(keys)));
                    }
                });
            }
        }
    }

    /// <summary>
    /// Lets work go on beside the write loop. What goes wrong in it concerns the comparison alone, so it is told, and the node goes on. The caller holds
    /// the lock.
    /// </summary>
    private void RunApart(LogIndex index, Func<Task> work)
    {
        _running.RemoveAll(t => t.IsCompleted);
        _running.Add(Task.Run(
            async () =>
            {
                try
                {
                    await work().ConfigureAwait(false);
                }
                catch (Exception e)
                {
                    var isExpected = e is StorageFailedException or ReplicaDivergedException or InvalidDataException;
                    Problem($"The verification at entry {index} could not be finished here: {(isExpected ? e.Message : $"a defect in distdb, {e}")}");
                }
            },
            CancellationToken.None));
    }

    private async Task RunAsync(VerificationRound round, CancellationToken cancellationToken)
    {
        try
        {
            await DigestAsync(round, cancellationToken).ConfigureAwait(false);
            var judge = await GatherAsync(round, cancellationToken).ConfigureAwait(false);
            var differences = judge.FindDifferences();
            if (differences.Count > 0)
            {
                differences = await FindKeysAsync(round, judge, differences, cancellationToken).ConfigureAwait(false);
            }

            await UnpinAsync(round).ConfigureAwait(false);
            Finish(round, judge, differences);
        }
        catch (OperationCanceledException)
        {
            // The content is replaced, or the node stops.
        }
        finally
        {
            // However it ended, it did: whoever waits for it is not to wait for ever, and the next may begin.
            try
            {
                await UnpinAsync(round).ConfigureAwait(false);
            }
            finally
            {
                round.Completion.TrySetCanceled(CancellationToken.None);
            }
        }
    }

    /// <summary>Reads all there is and tells everybody what it comes to.</summary>
    private async Task DigestAsync(VerificationRound round, CancellationToken cancellationToken)
    {
        if (round.Pin is not { } pin)
        {
            return;
        }

        IReadOnlyList<DatabaseDigest> digests;
        await _digestTurn.WaitAsync(cancellationToken).ConfigureAwait(false);
        await round.PinTurn.WaitAsync(CancellationToken.None).ConfigureAwait(false);
        try
        {
            digests = pin.Digest(cancellationToken);
        }
        finally
        {
            round.PinTurn.Release();
            _digestTurn.Release();
        }

        var report = ContentCodec.Encode(digests);
        if (report.Length > ReportBytesMax)
        {
            Problem($"The content at entry {round.Index} cannot be compared with other nodes': there are too many tables.");
            return;
        }

        lock (_lock)
        {
            round.Reports[self] = digests;
            round.OwnReport = report;
            round.OwnReportAtMs = Environment.TickCount64;
        }

        SendReport(round, report);
    }

    private void SendReport(VerificationRound round, ReadOnlyMemory<byte> report, bool onlyWhereMissing = false)
    {
        foreach (var peer in round.Members.Members.Select(m => m.Id).Where(m => m != self))
        {
            bool isMissing;
            lock (_lock)
            {
                isMissing = !round.Reports.ContainsKey(peer);
            }

            if (isMissing || !onlyWhereMissing)
            {
                send(peer, new VerifyReport(round.Index, WantsAnswer: isMissing, report));
            }
        }
    }

    /// <summary>Waits for everybody who can be reached.</summary>
    private async Task<VerificationJudge> GatherAsync(VerificationRound round, CancellationToken cancellationToken)
    {
        var isVerdictKnown = false;
        var sentAt = Environment.TickCount64;
        while (true)
        {
            VerificationJudge judge;
            bool isComplete;
            lock (_lock)
            {
                judge = new(round.Members, new Dictionary<NodeId, IReadOnlyList<DatabaseDigest>>(round.Reports));
                isComplete = IsComplete(round);
            }

            if (!isVerdictKnown && round.OwnReport is not null && (judge.Healthy.Count > 0 || isComplete))
            {
                isVerdictKnown = true;
                TakeOwnVerdict(round, judge);
            }

            if (isComplete)
            {
                return judge;
            }

            await round.Changed.WaitAsync(_lookInterval, cancellationToken).ConfigureAwait(false);
            if (round.OwnReport is { } report && Environment.TickCount64 - sentAt > ResendMs)
            {
                sentAt = Environment.TickCount64;
                SendReport(round, report, onlyWhereMissing: true);
            }
        }
    }

    private bool IsComplete(VerificationRound round)
    {
        var now = Environment.TickCount64;
        var begun = round.BegunAtMs!.Value;
        return now - Math.Max(begun, round.OwnReportAtMs) > ReportPatienceMs
            || round.Members.Members.All(m =>
                m.Id == self || round.Reports.ContainsKey(m.Id) || (now - begun > UnreachablePatienceMs && !isReachable(m.Id)));
    }

    private void TakeOwnVerdict(VerificationRound round, VerificationJudge judge)
    {
        if (judge.Healthy.Contains(self))
        {
            BecomeVerified();
        }
        else if (WhyUnhealthy(round, judge, []) is { } reason)
        {
            Distrust();
            if (round.Repairs)
            {
                Condemned(reason);
            }
        }
    }

    private void BecomeVerified()
    {
        lock (_lock)
        {
            _verified.TrySetResult();
        }

        Verified();
    }

    /// <summary>Why this node is to be repaired, if it is; null where there is no majority that says so.</summary>
    private string? WhyUnhealthy(VerificationRound round, VerificationJudge judge, IReadOnlyList<TableDifference> differences)
    {
        var verdict = judge.VerdictOf(self);
        var where = string.Join(", ", differences.Where(d => d.Nodes.Contains(self)).Select(
            d => d.Keys.Count == 0 ? $"table {d.Table} ({d.Detail})" : $"table {d.Table} ({d.Detail}; {string.Join("; ", d.Keys)})"));
        var tail = where.Length == 0 ? "." : $": {where}.";
        return verdict.Health switch
        {
            NodeHealth.Differs => $"At entry {round.Index} this node's content differs from that of {Names(judge.Healthy)}, a majority{tail}",

            // Alone, it has nobody who could be right in its place; that is for whoever repairs it to say.
            NodeHealth.Damaged when judge.Healthy.Count > 0 || round.Members.Members.Count == 1 =>
                $"At entry {round.Index} SQLite found this node's database file damaged ({verdict.Damage}){tail}",
            _ => null,
        };
    }

    private static string Names(IReadOnlyList<NodeId> nodes) =>
        nodes.Count == 1 ? $"node {nodes[0]}" : $"nodes {string.Join(", ", nodes.SkipLast(1))} and {nodes[^1]}";

    /// <summary>Finds out which rows differ, or is told by the node that does it for all.</summary>
    private async Task<List<TableDifference>> FindKeysAsync(
        VerificationRound round, VerificationJudge judge, List<TableDifference> differences, CancellationToken cancellationToken)
    {
        var deadline = Deadline.After(TimeSpan.FromMilliseconds(KeysPatienceMs));
        if (judge.Reference != self)
        {
            // Somewhat longer than that node waits itself.
            var patience = deadline.Plus(TimeSpan.FromMilliseconds(ResendMs));
            await WaitAsync(round, () => round.Findings is not null, patience, cancellationToken).ConfigureAwait(false);
            lock (_lock)
            {
                return round.Findings is { } findings ? [.. findings] : differences;
            }
        }

        List<TableDifference> found = [];
        foreach (var difference in differences)
        {
            found.Add(difference with { Keys = await FindKeysAsync(round, judge, difference, deadline, cancellationToken).ConfigureAwait(false) });
        }

        var message = new VerifyFindings(round.Index, VerificationCodec.Encode(found));
        foreach (var peer in round.Members.Members.Select(m => m.Id).Where(m => m != self))
        {
            send(peer, message);
        }

        return found;
    }

    private async Task<IReadOnlyList<string>> FindKeysAsync(
        VerificationRound round, VerificationJudge judge, TableDifference difference, Deadline deadline, CancellationToken cancellationToken)
    {
        var buckets = judge.DifferingBuckets(difference);
        if (buckets.Count == 0)
        {
            return [];
        }

        NodeId[] asked = [.. difference.Nodes.Where(n => judge.Has(n, difference))];
        var request = new VerifyKeysRequest(round.Index, difference.Database, difference.Table, buckets.Select(b => (byte)b).ToArray());
        if (await ListAsync(round, difference.Database, difference.Table, buckets, cancellationToken).ConfigureAwait(false) is not { } own)
        {
            return [];
        }

        var missing = asked;
        while (missing.Length > 0 && !deadline.HasPassed)
        {
            // Again and again, as messages may be lost.
            foreach (var node in missing)
            {
                send(node, request);
            }

            await WaitAsync(
                round,
                () => (missing = [.. asked.Where(n => !round.Keys.ContainsKey((n, difference.Database, difference.Table)))]).Length == 0,
                deadline.Earlier(Deadline.After(TimeSpan.FromMilliseconds(ResendMs))),
                cancellationToken).ConfigureAwait(false);
        }

        lock (_lock)
        {
            return
            [
                .. asked.Select(n => round.Keys.GetValueOrDefault((n, difference.Database, difference.Table)))
                    .OfType<RowKeyList>()
                    .SelectMany(its => KeyComparison.FirstDiffering(own, its, VerificationResult.KeysMax))
                    .Distinct()
                    .Take(VerificationResult.KeysMax),
            ];
        }
    }

    private async Task WaitAsync(VerificationRound round, Func<bool> condition, Deadline deadline, CancellationToken cancellationToken)
    {
        while (!deadline.HasPassed)
        {
            lock (_lock)
            {
                if (condition())
                {
                    return;
                }
            }

            await round.Changed.WaitAsync(_lookInterval, cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>This node's rows of a table, or null where its content is not pinned any more.</summary>
    private static async Task<RowKeyList?> ListAsync(
        VerificationRound round, string database, string table, IReadOnlySet<int> buckets, CancellationToken cancellationToken)
    {
        try
        {
            await round.PinTurn.WaitAsync(cancellationToken).ConfigureAwait(false);
            try
            {
                return round.Pin?.Databases.FirstOrDefault(d => d.Name == database)?.ListKeys(table, buckets, ListedRowsMax, cancellationToken);
            }
            finally
            {
                round.PinTurn.Release();
            }
        }
        catch (Exception e) when (e is OperationCanceledException or StorageFailedException)
        {
            // Whoever asked goes without the keys.
            return null;
        }
    }

    private static async Task UnpinAsync(VerificationRound round)
    {
        await round.PinTurn.WaitAsync().ConfigureAwait(false);
        round.Pin?.Dispose();
        round.Pin = null;
        round.PinTurn.Release();
    }

    private void Finish(VerificationRound round, VerificationJudge judge, List<TableDifference> differences)
    {
        var result = new VerificationResult(
            round.Index,
            DateTimeOffset.UtcNow,
            TimeSpan.FromMilliseconds(Environment.TickCount64 - round.BegunAtMs!.Value),
            round.Repairs,
            judge.Outcome,
            [.. round.Members.Members.Select(m => judge.VerdictOf(m.Id))],
            differences);
        Volatile.Write(ref _last, result);
        round.Completion.TrySetResult(result);
        Finished(result, round.Repairs ? WhyUnhealthy(round, judge, differences) : null);
    }
}
