using System.Diagnostics;
using System.Security.Cryptography;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Storage;
using DistDb.Node.Telemetry;
using DistDb.Node.Transport;

namespace DistDb.Node.Replication;

/// <summary>
/// The one thread that writes the databases. On every node it applies committed entries in order. On the leader it also executes
/// clients' writes first: many in one open SQLite transaction for each database, each in its own savepoint, proposed as one log entry; when that
/// entry is committed the transaction is committed as it stands, and only then is anybody answered.
/// <para>
/// Whether an open transaction is kept is decided by the log alone: if the entry committed at its index has its term, it is that very
/// entry; if it has another, the transaction is rolled back and the entry executed. Losing leadership rolls it back too; should
/// the entry be committed by the next leader, it is executed from the log like any other.
/// </para>
/// </summary>
internal sealed class WriteLoop : IDisposable
{
    private const int ApplyBytesAtOnce = 1 << 20;

    private static readonly TimeSpan _expiryLookInterval = TimeSpan.FromMilliseconds(50);

    private readonly DatabaseSet _databases;
    private readonly NodeFolder _folder;
    private readonly RaftStorage _log;
    private readonly RaftLoop _raft;
    private readonly PendingWrites _pending;
    private readonly AppliedProgress _applied;
    private readonly Action<NodeId, PeerMessage> _send;
    private readonly NodeId _self;
    private readonly ReplicationOptions _options;
    private readonly NodeInstruments _instruments;
    private readonly CancellationTokenSource _stopped = new();

    // Guards what other threads hand in. Never held while calling anything that takes another lock or waits.
    private readonly object _lock = new();
    private readonly LeaderQueue _queue;
    private readonly TransactionHost _transactions;
    private Leadership _leadership;
    private LogIndex _committed;
    private OpenBatch? _refusedBatch;
    private ReceivedSnapshot? _snapshot;
    private (Membership Membership, Membership Basis)? _proposedMembership;
    private string? _repairWanted;
    private LogIndex? _overruleWanted;
    private bool _stopping;

    // This thread's own.
    private OpenBatch? _batch;
    private LogIndex _appliedIndex;
    private Term _appliedTerm;
    private LogIndex _checkpointTried;
    private long _writeCount;
    private long _batchCount;
    private RepairTask? _repair;
    private TokenSet? _tokens;

    public WriteLoop(
        DatabaseSet databases,
        NodeFolder folder,
        RaftStorage log,
        RaftLoop raft,
        PendingWrites pending,
        AppliedProgress applied,
        Action<NodeId, PeerMessage> send,
        ReplicationOptions options,
        NodeInstruments instruments)
    {
        _databases = databases;
        _folder = folder;
        _log = log;
        _raft = raft;
        _pending = pending;
        _applied = applied;
        _send = send;
        _self = folder.Node;
        _options = options;
        _instruments = instruments;
        _queue = new(options);
        _transactions = new(databases, _queue, _lock, options, SendReply)
        {
            Tokens = () => Tokens,
            NowMs = () => BoundTime(options.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds()),
        };
        _leadership = raft.Leadership;
        _appliedIndex = databases.IsOpen ? new(databases.AppliedIndex) : LogIndex.Zero;
        _committed = LogIndex.Max(_appliedIndex, log.BaseIndex);
        _checkpointTried = _appliedIndex;
        _applied.Advance(_appliedIndex);
        Opinions = new(applied);
        if (databases.IsOpen)
        {
            Opinions.Begin(log.BaseIndex, _databases.ReadOverruled());

            // The log's word counts more: after a recovery the database learns its new cluster from it.
            NoteClusterId(log.ClusterId ?? _databases.ClusterId);
            MasterNode = new(_databases.MasterNode);
            Tokens = _databases.Tokens;
        }
    }

    /// <summary>The cluster's identity, or empty until the log has told it.</summary>
    public Guid ClusterId
    {
        get
        {
            lock (_lock)
            {
                return field;
            }
        }

        private set
        {
            lock (_lock)
            {
                field = value;
            }
        }
    }

    /// <summary>Takes the leader's answers to requests of this node's own clients' transactions.</summary>
    public Action<TransactionReply> TransactionAnswered { get; set; } = _ => { };

    /// <summary>Who may change the schema, as of the last applied entry.</summary>
    public NodeId MasterNode { get; private set; }

    /// <summary>
    /// Who is let in, as of the last applied entry; while the database is being replaced, as of before. Null until this node has had one. Any
    /// thread may ask.
    /// </summary>
    public TokenSet? Tokens
    {
        get => Volatile.Read(ref _tokens);
        private set => Volatile.Write(ref _tokens, value);
    }

    /// <summary>Clients' writes applied since the start, and the log entries that held them.</summary>
    public (long Writes, long Batches) Counts => (Interlocked.Read(ref _writeCount), Interlocked.Read(ref _batchCount));

    /// <summary>Writes that wait here to be executed, and about how many bytes they have; none where this node does not lead.</summary>
    public (int Writes, long Bytes) QueueSize
    {
        get
        {
            lock (_lock)
            {
                return _queue.Size;
            }
        }
    }

    /// <summary>Set while there is no database, because the one that was there is bad: nothing is applied until a snapshot is installed.</summary>
    public RepairTask? Repair
    {
        get => Volatile.Read(ref _repair);
        init => _repair = value;
    }

    /// <summary>What entries did here. While it has a disagreement, nothing is applied and no client is to be served.</summary>
    public OwnOpinions Opinions { get; }

    /// <summary>Told on this loop's thread that an entry does something else here than recorded: see <see cref="Overrule"/> and <see cref="GiveUpDatabase"/>.</summary>
    public Action<Disagreement> Differed { get; set; } = _ => { };

    /// <summary>Told on this loop's thread that the entry of a disagreement is applied as this node observes it.</summary>
    public Action<Disagreement> Overruled { get; set; } = _ => { };

    /// <summary>Told on this loop's thread about the entry of a verification when it was just applied, before anything else is.</summary>
    public Action<LogIndex, VerifyOperation> VerifyApplied { get; set; } = (_, _) => { };

    /// <summary>
    /// Told on this loop's thread that the database is bad, and why, while it is still there; returns once this node does not lead any more,
    /// if that can be had, and throws where nothing can help.
    /// </summary>
    public Action<string> RepairBegins { get; set; } = _ => { };

    /// <summary>Told on this loop's thread that the bad file is out of the way.</summary>
    public Action<RepairTask> MovedAside { get; set; } = _ => { };

    /// <summary>Whether a leader may execute clients' writes: what it sees when it executes them must be what the others will see.</summary>
    public Func<bool> IsTrusted { get; set; } = () => true;

    /// <summary>Told on this loop's thread when a snapshot that was handed in is installed; or false when it was not needed any more.</summary>
    public Action<ReceivedSnapshot, bool> SnapshotDone { get; set; } = (_, _) => { };

    /// <summary>What to take for the time, of what this node's clock shows, in milliseconds since 1970.</summary>
    public Func<long, long> BoundTime { get; set; } = ownMs => ownMs;

    /// <summary>A node's base address.</summary>
    public Func<NodeId, string> AddressOf { get; set; } = _ => "";

    /// <summary>The log must not be cut behind this index; null where nothing keeps it.</summary>
    public Func<LogIndex?> KeepLogFrom { get; set; } = () => null;

    /// <summary>Hands in a snapshot, which takes the database's place as soon as this loop gets to it.</summary>
    public void Install(ReceivedSnapshot snapshot)
    {
        lock (_lock)
        {
            _snapshot = snapshot;
            Monitor.Pulse(_lock);
        }
    }

    /// <summary>
    /// Has this node, while it leads, propose a configuration between two batches. It may come to nothing, without a word: who wants it looks
    /// at the log's and proposes again.
    /// </summary>
    /// <param name="membership">What is to be.</param>
    /// <param name="basis">What it was made from: where that is not the newest any more, nothing is proposed.</param>
    public void Propose(Membership membership, Membership basis)
    {
        lock (_lock)
        {
            _proposedMembership = (membership, basis);
            Monitor.Pulse(_lock);
        }
    }

    /// <summary>Has this loop give up the database as soon as it gets to it, and wait for a snapshot.</summary>
    /// <param name="reason">What is wrong with it, as a sentence.</param>
    public void GiveUpDatabase(string reason)
    {
        lock (_lock)
        {
            _repairWanted ??= reason;
            Monitor.Pulse(_lock);
        }
    }

    /// <summary>Has this loop apply an entry, of which it observes something else than recorded, as it observes it; nothing where it is not at that one.</summary>
    public void Overrule(LogIndex index)
    {
        lock (_lock)
        {
            _overruleWanted = index;
            Monitor.Pulse(_lock);
        }
    }

    /// <summary>Has this loop look again whether <see cref="IsTrusted"/>.</summary>
    public void TrustChanged()
    {
        lock (_lock)
        {
            Monitor.Pulse(_lock);
        }
    }

    /// <summary>Takes a write for which this node is the leader; ignores it where it is not, or knows it already.</summary>
    public void Enqueue(ForwardedWrite write)
    {
        Failure? verdict;
        lock (_lock)
        {
            if (!_leadership.Leads(write.Term))
            {
                return;
            }

            verdict = _queue.Enqueue(write);
            Monitor.Pulse(_lock);
        }

        if (verdict is not null)
        {
            SendRefusal(write.Command.Id, write.Term, verdict);
        }
    }

    /// <summary>Takes a request of a transaction for which this node is the leader; ignores it where it is not.</summary>
    /// <param name="from">The node whose client's it is.</param>
    /// <param name="request">The request.</param>
    public void Enqueue(NodeId from, TransactionRequest request)
    {
        lock (_lock)
        {
            if (_leadership.Leads(request.Term))
            {
                _transactions.Receive(from, request);
                Monitor.Pulse(_lock);
            }
        }
    }

    public void LeadershipChanged(Leadership leadership)
    {
        List<QueuedWrite> dropped = [];
        Term term;
        lock (_lock)
        {
            term = _leadership.Term;
            if (_leadership.IsLeader && !leadership.Leads(term))
            {
                dropped = _queue.Clear();
                _transactions.Clear();
                _proposedMembership = null;
            }

            _leadership = leadership;
            Monitor.Pulse(_lock);
        }

        AnnounceDropped(dropped, term);
    }

    public void Committed(LogIndex index)
    {
        lock (_lock)
        {
            _committed = index;
            Monitor.Pulse(_lock);
        }
    }

    public void Stop()
    {
        lock (_lock)
        {
            _stopping = true;
            Monitor.Pulse(_lock);
        }

        _stopped.Cancel();
    }

    public void Dispose() => _stopped.Dispose();

    /// <summary>The loop; returns after <see cref="Stop"/>.</summary>
    /// <exception cref="ReplicaDivergedException">This replica does not see what the leader saw, and there is nobody to repair it from.</exception>
    /// <exception cref="StorageFailedException">The database cannot be written.</exception>
    /// <exception cref="RaftStorageException">The log cannot be read.</exception>
    public void Run()
    {
        while (true)
        {
            var work = WaitForWork(out var committed, out var leadership);
            if (work == Work.Stop)
            {
                // What is open is rolled back as the file is closed.
                return;
            }

            try
            {
                Do(work, committed, leadership);
            }
            catch (ReplicaDivergedException e)
            {
                BeginRepair(e.Message);
            }
            catch (StorageFailedException e) when (e.IsDamage)
            {
                BeginRepair($"The database in {_databases.Folder} is damaged: {e.Reason}.");
            }
        }
    }

    private void Do(Work work, LogIndex committed, Leadership leadership)
    {
        switch (work)
        {
            case Work.Repair:
                BeginRepair(_repairWanted!);
                break;
            case Work.Apply:
                try
                {
                    ApplyUpTo(committed);
                }
                catch (ObservationDifferedException e)
                {
                    Differ(e);
                }

                break;
            case Work.Overrule:
                ApplyOverruling();
                break;
            case Work.Install:
                Install();
                break;
            case Work.Abandon:
                Abandon(_batch!);
                break;
            case Work.Execute:
                Execute(leadership.Term);
                break;
            default:
                throw new UnreachableException(work.ToString());
        }
    }

    private enum Work
    {
        Stop,
        Repair,
        Install,
        Apply,
        Overrule,
        Abandon,
        Execute,
    }

    private Work WaitForWork(out LogIndex committed, out Leadership leadership)
    {
        lock (_lock)
        {
            while (true)
            {
                committed = _committed;
                leadership = _leadership;
                var isLeading = leadership.IsLeader && _appliedIndex >= leadership.TermStart;
                if (_stopping)
                {
                    return Work.Stop;
                }

                if (_repair is not null)
                {
                    if (_snapshot is not null)
                    {
                        return Work.Install;
                    }

                    Monitor.Wait(_lock);
                    continue;
                }

                if (_repairWanted is not null)
                {
                    return Work.Repair;
                }

                if (_snapshot is not null && _batch is null)
                {
                    return Work.Install;
                }

                if (Opinions.Disagreement is { } disagreement)
                {
                    if (_overruleWanted == disagreement.Index)
                    {
                        return Work.Overrule;
                    }

                    Monitor.Wait(_lock);
                    continue;
                }

                if (committed > _appliedIndex)
                {
                    return Work.Apply;
                }

                if (_batch is { } batch && (batch == _refusedBatch || !leadership.Leads(batch.Term)))
                {
                    return Work.Abandon;
                }

                var mayExecute = _batch is null && isLeading && !leadership.IsHandingOver;
                if (mayExecute && (_databases.ClusterId is null || _proposedMembership is not null || (IsTrusted() ? !_queue.IsEmpty || _queue.HasExpiredAside || _transactions.HasWork : _queue.HasUrgent)))
                {
                    return Work.Execute;
                }

                // What waits for trust alone, or for a transaction, may run out of time, and so may a transaction.
                Monitor.Wait(_lock, mayExecute && (!_queue.IsEmpty || _queue.HasAside || _transactions.HasTransactions) ? _expiryLookInterval : Timeout.InfiniteTimeSpan);
            }
        }
    }

    private void ApplyUpTo(LogIndex committed)
    {
        if (_batch is { } batch)
        {
            if (_log.TermAt(batch.Index) == batch.Term)
            {
                CommitBatch(batch);
                return;
            }

            // Another leader's entry stands there: this one's will never be committed.
            _databases.Rollback();
            _batch = null;
        }

        foreach (var entry in _log.Read(_appliedIndex.Next, committed, ApplyBytesAtOnce))
        {
            Apply(entry);
        }

        CheckpointIfDue();
    }

    /// <summary>Puts a snapshot in the databases' place, and lets the log begin behind it.</summary>
    private void Install()
    {
        ReceivedSnapshot snapshot;
        lock (_lock)
        {
            snapshot = _snapshot!;
            _snapshot = null;
        }

        var repair = _repair;
        var isAhead = snapshot.Index > _appliedIndex;
        var isNeeded = repair is null ? isAhead : snapshot.Index >= repair.MinIndex;
        if (isNeeded && !TryReadMembership(ref snapshot))
        {
            isNeeded = false;
        }

        if (isNeeded)
        {
            SnapshotInstallation.Begin(_folder, snapshot);
            if (repair is not null)
            {
                DatabaseQuarantine.End(_folder);
            }

            try
            {
                _databases.Replace(snapshot.Folder, snapshot.Index.Value);
            }
            catch (StorageFailedException e) when (e.IsDamage)
            {
                // Another one will be needed; this one is out of the way then.
                BeginRepair($"The snapshot at entry {snapshot.Index} is damaged: {e.Reason}.");
                SnapshotDone(snapshot, false);
                return;
            }

            try
            {
                _raft.InstallSnapshotAsync(snapshot).Wait(_stopped.Token);
            }
            catch (OperationCanceledException)
            {
                // The node stops in the middle; its next start finishes the installation.
                return;
            }

            SnapshotInstallation.End(_folder);
            lock (_lock)
            {
                _repairWanted = null;
                _repair = null;
            }

            NoteClusterId(_databases.ClusterId);
            Opinions.Begin(snapshot.Index, _databases.ReadOverruled());
            FinishEntry(snapshot.Index, 0);
            _checkpointTried = snapshot.Index;

            if (isAhead)
            {
                // Writes of this node's clients may be among the entries that were never seen here.
                _pending.Skipped();
            }

            FinishTerm(snapshot.Term);
        }
        else
        {
            // Entries came in the meantime; or it is of no use.
            Directory.Delete(snapshot.Folder, recursive: true);
        }

        SnapshotDone(snapshot, isNeeded);
    }

    /// <summary>False where the snapshot is no database of ours, whatever its sender took it for.</summary>
    private static bool TryReadMembership(ref ReceivedSnapshot snapshot)
    {
        try
        {
            snapshot = snapshot with
            {
                Membership = DatabaseFile.ReadMembership(snapshot.MainPath) is { } bytes ? MembershipCodec.Decode(bytes) : null,
            };
            return true;
        }
        catch (Exception e) when (e is StorageFailedException or FormatException)
        {
            return false;
        }
    }

    /// <summary>
    /// The database is bad. It is kept aside, and nothing more is executed or applied until a snapshot from a peer has taken its place; the
    /// log goes on meanwhile. What was proposed before has its fate from the log, through other nodes.
    /// </summary>
    private void BeginRepair(string reason)
    {
        if (_batch is { } batch)
        {
            _batch = null;
            PutBackOrDrop(batch.Unlogged.Select(u => u.Write), batch.Term);
        }

        Opinions.End();
        RepairBegins(reason);
        // Not the last entry applied: one that changes no content leaves no trace in any file, so that no copy may ever reach it.
        var reached = _databases.IsOpen ? new(_databases.AppliedIndex) : _repair?.MinIndex ?? LogIndex.Zero;
        var repair = DatabaseQuarantine.Begin(_folder, reason, LogIndex.Max(reached, _log.BaseIndex));
        lock (_lock)
        {
            _repair = repair;
        }

        _databases.MoveAside(repair.QuarantineFolder);
        MovedAside(repair);

        // A snapshot that could not be opened was in the middle of its installation.
        SnapshotInstallation.End(_folder);
    }

    /// <summary>Now and then has the disk confirm the database, so that the log can be cut behind it. Where a long reader prevents it, the next time will do.</summary>
    private void CheckpointIfDue()
    {
        if (_appliedIndex - _checkpointTried < Math.Min(_options.CheckpointEntries, _options.LogTailEntriesMax))
        {
            return;
        }

        _checkpointTried = _appliedIndex;
        if (_databases.Checkpoint() is { } durable)
        {
            _raft.AllowTrim(KeepLogFrom() is { } kept ? LogIndex.Min(kept, new(durable)) : new(durable));
        }
    }

    private void CommitBatch(OpenBatch batch)
    {
        _instruments.EntryCommitted(batch.ProposedAt);
        EndSpans("replicate", batch, batch.ProposedAt);
        var started = Stopwatch.GetTimestamp();
        _databases.Commit(batch.Content);
        _batch = null;
        if (ClusterId == Guid.Empty)
        {
            NoteClusterId(_databases.ClusterId);
        }

        FinishEntry(batch.Index, batch.Succeeded.Count);
        _instruments.EntryApplied(started);
        EndSpans("apply", batch, started);
        foreach (var (write, outcome) in batch.Succeeded)
        {
            if (write.Command.Interactive is not null)
            {
                _transactions.Committed(write.Command);
            }

            if (write.Command.Id.Node == _self.Value)
            {
                _pending.Applied(write.Command.Id, batch.Index, outcome.Results);
            }
        }

        FinishTerm(batch.Term);
        AnswerUnlogged(batch);
        AnnounceVerifications(batch.Index, batch.Succeeded.Select(s => s.Write.Command));
        CheckpointIfDue();
    }

    private static void EndSpans(string name, OpenBatch batch, long started)
    {
        if (!NodeTracing.IsOn)
        {
            return;
        }

        foreach (var (write, _) in batch.Succeeded)
        {
            NodeTracing.Ended(name, write.Trace, started, batch.Index.Value);
        }
    }

    /// <summary>Either this file is bad or the leader's was: nothing more is applied until the voters have said which.</summary>
    private void Differ(ObservationDifferedException e)
    {
        _databases.Rollback();
        lock (_lock)
        {
            _overruleWanted = null;
        }

        var disagreement = new Disagreement(new(e.Entry), e.Observation, e.Message, DateTimeOffset.UtcNow);
        Opinions.Differ(disagreement);
        Differed(disagreement);
    }

    /// <summary>A majority observes what this node observes: so is the entry applied.</summary>
    private void ApplyOverruling()
    {
        var disagreement = Opinions.Disagreement!;
        Apply(_log.Read(disagreement.Index, disagreement.Index, ApplyBytesAtOnce).Single(), disagreement);
        Opinions.Overruled();
        Overruled(disagreement);
    }

    private void Apply(Entry entry, Disagreement? overruling = null)
    {
        var started = Stopwatch.GetTimestamp();
        if (entry.Kind == EntryKind.Configuration)
        {
            _databases.Begin(new(entry.Index.Value, _databases.AppliedTimeMs, 0));
            _databases.SetMembership(entry.Data.Span);
            _databases.Commit();
        }

        List<(WriteId Id, WriteOutcome Outcome)> own = [];
        IReadOnlyList<LoggedWrite> writes = [];
        switch (entry.Kind == EntryKind.Command ? LogCommandCodec.Decode(entry.Data.Span) : null)
        {
            case null:
                break;
            case BootstrapCommand bootstrap:
                _databases.Begin(new(entry.Index.Value, _databases.AppliedTimeMs, 0));
                _databases.SetClusterId(bootstrap.ClusterId);
                _databases.Commit();
                NoteClusterId(bootstrap.ClusterId);
                break;
            case WriteBatch batch:
                writes = batch.Writes;
                var stamp = new EntryStamp(entry.Index.Value, batch.TimeMs, batch.Seed, batch.ChangesBytesMax);
                own = overruling is null ? Replay(stamp, batch) : ReplayOverruling(stamp, batch, overruling.Observation);
                break;
            case var command:
                throw new UnreachableException(command.GetType().Name);
        }

        FinishEntry(entry.Index, writes.Count);
        _instruments.EntryApplied(started);
        foreach (var (id, outcome) in own)
        {
            if (NodeTracing.IsOn)
            {
                NodeTracing.Ended("apply", _pending.TraceOf(id), started, entry.Index.Value);
            }

            if (outcome is WriteOutcome.Succeeded { Results: var results })
            {
                _pending.Applied(id, entry.Index, results);
            }
            else
            {
                _pending.Refused(id, entry.Term, ((WriteOutcome.Failed)outcome).Failure);
            }
        }

        FinishTerm(entry.Term);
        AnnounceVerifications(entry.Index, writes.Select(w => w.Command));
    }

    /// <summary>Executes an entry as recorded. Gives the outcomes of those writes that clients of this node wait for.</summary>
    private List<(WriteId Id, WriteOutcome Outcome)> Replay(EntryStamp stamp, WriteBatch batch)
    {
        var writes = batch.Writes;
        List<(WriteId, WriteOutcome)> own = [];
        _databases.Begin(stamp);
        for (var i = 0; i < writes.Count; i++)
        {
            var id = writes[i].Command.Id;
            var isAwaited = _pending.IsAwaited(id);
            var results = _databases.Replay(writes[i], i, isAwaited);
            if (isAwaited && results is not null)
            {
                own.Add((id, new WriteOutcome.Succeeded(results, writes[i].Observation)));
            }
        }

        _databases.Commit(batch);
        return own;
    }

    /// <summary>Executes an entry as this node's content has it, and notes that. Otherwise as <see cref="Replay"/>.</summary>
    private List<(WriteId Id, WriteOutcome Outcome)> ReplayOverruling(EntryStamp stamp, WriteBatch batch, ulong observation)
    {
        var writes = batch.Writes;

        // Those at which SQLite rolls back the whole entry: it is begun again without them.
        Dictionary<int, WriteOutcome?> leftOut = [];
        while (true)
        {
            List<(WriteId, WriteOutcome)> own = [];
            _databases.Begin(stamp);
            for (var i = 0; i < writes.Count && !_databases.TransactionLost; i++)
            {
                var id = writes[i].Command.Id;
                var isAwaited = _pending.IsAwaited(id);
                if (!leftOut.TryGetValue(i, out var outcome))
                {
                    outcome = _databases.ReplayOverruling(writes[i], i, isAwaited);
                    if (_databases.TransactionLost)
                    {
                        leftOut.Add(i, outcome);
                    }
                }

                if (isAwaited && outcome is not null)
                {
                    own.Add((id, outcome));
                }
            }

            if (!_databases.TransactionLost)
            {
                _databases.SetOverruled(observation);
                _databases.Commit(batch);
                return own;
            }

            _databases.Rollback();
        }
    }

    private void AnnounceVerifications(LogIndex index, IEnumerable<WriteCommand> applied)
    {
        VerifyOperation? found = null;
        foreach (var command in applied)
        {
            if (command.Operation is VerifyOperation verify)
            {
                // One looks at the entry as a whole, for all.
                found = new(verify.Repairs || found is { Repairs: true });
            }
        }

        if (found is not null)
        {
            VerifyApplied(index, found);
        }
    }

    private void FinishEntry(LogIndex index, int writeCount)
    {
        _appliedIndex = index;
        if (writeCount > 0)
        {
            Interlocked.Add(ref _writeCount, writeCount);
            Interlocked.Increment(ref _batchCount);
        }

        MasterNode = new(_databases.MasterNode);
        Tokens = _databases.Tokens;
        _applied.Advance(index);
    }

    private void NoteClusterId(Guid? known)
    {
        if (known is { } id && id != ClusterId)
        {
            ClusterId = id;
            _raft.SetClusterId(id);
        }
    }

    /// <summary>After the entry's own writes were announced: see <see cref="PendingWrites"/> for why the order matters.</summary>
    private void FinishTerm(Term term)
    {
        if (term > _appliedTerm)
        {
            _appliedTerm = term;
            _pending.AppliedTerm(term);
        }
    }

    /// <summary>Executes what waits, as far as it fits one batch, and proposes it.</summary>
    private void Execute(Term term)
    {
        var batch = new OpenBatch(_appliedIndex.Next, term);
        LogCommand? command;
        (Membership Membership, Membership Basis)? proposed;
        lock (_lock)
        {
            (proposed, _proposedMembership) = (_proposedMembership, null);
        }

        if (proposed is var (membership, basis) && membership.Find(new(_databases.MasterNode)) is not null)
        {
            _databases.Begin(new(batch.Index.Value, _databases.AppliedTimeMs, 0));
            _databases.SetMembership(MembershipCodec.Encode(membership));
            _batch = batch;
            batch.ProposedAt = Stopwatch.GetTimestamp();
            _raft.Propose(batch.Term, batch.Index, membership, basis, () => Refused(batch));
            return;
        }

        if (_databases.ClusterId is null)
        {
            var bootstrap = new BootstrapCommand(Guid.NewGuid());
            _databases.Begin(new(batch.Index.Value, _databases.AppliedTimeMs, 0));
            _databases.SetClusterId(bootstrap.ClusterId);
            command = bootstrap;
        }
        else
        {
            if (IsTrusted())
            {
                _transactions.Run(term);
            }

            var started = Stopwatch.GetTimestamp();
            command = batch.Content = ExecuteWrites(batch);
            if (command is not null)
            {
                _instruments.BatchExecuted(batch.Succeeded.Count, started);
            }
        }

        if (command is null)
        {
            _databases.Rollback();
            AnswerOnceStillLeader(batch);
            return;
        }

        _batch = batch;
        batch.ProposedAt = Stopwatch.GetTimestamp();
        _raft.Propose(batch.Term, batch.Index, LogCommandCodec.Encode(command), () => Refused(batch));
    }

    /// <summary>Called on the Raft loop's thread.</summary>
    private void Refused(OpenBatch batch)
    {
        lock (_lock)
        {
            _refusedBatch = batch;
            Monitor.Pulse(_lock);
        }
    }

    /// <summary>The command for the log, or null if no write succeeded.</summary>
    private WriteBatch? ExecuteWrites(OpenBatch batch)
    {
        List<QueuedWrite> candidates;
        List<HostedTransaction> begun = [];
        var isTrusted = IsTrusted();
        lock (_lock)
        {
            candidates = isTrusted ? _queue.TakeBatch(out begun) : _queue.TakeUrgent();
        }

        _transactions.TurnsBegin(begun);
        if (candidates.Count == 0)
        {
            return null;
        }

        var stamp = new EntryStamp(
            batch.Index.Value,
            Math.Max(_databases.AppliedTimeMs, BoundTime(_options.TimeProvider.GetUtcNow().ToUnixTimeMilliseconds())),
            BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)),
            _options.ChangesBytesMax);
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            _databases.Begin(stamp);
            var settledCount = batch.Unlogged.Count;
            var executedCount = 0;
            while (executedCount < candidates.Count && !_databases.TransactionLost
                && (executedCount == 0 || Stopwatch.GetElapsedTime(started) < _options.BatchTimeMax)
                && !(batch.Succeeded.Count > 0 && batch.Succeeded[^1].Write.Command.Operation is not null)
                && !(batch.Succeeded.Count > 0 && candidates[executedCount].Command.Operation is LoadDatabaseOperation))
            {
                // An operation ends its batch: what follows must see what it did. A load undoes what was written before it.
                ExecuteOne(candidates[executedCount++], batch);
            }

            if (!_databases.TransactionLost)
            {
                PutBackOrDrop(candidates.Skip(executedCount), batch.Term);
                break;
            }

            // The last write made SQLite roll back those before it as well (an interrupted statement, ON CONFLICT ROLLBACK). All that
            // was seen in this transaction is void; the others are executed again without it, and nobody notices.
            _databases.Rollback();
            var culprit = batch.Unlogged[^1];
            batch.Succeeded.Clear();
            batch.Unlogged.RemoveRange(settledCount, batch.Unlogged.Count - settledCount);
            if (executedCount == 1 || culprit.Outcome is WriteOutcome.Failed { Failure.Code: FailureCode.Timeout })
            {
                batch.Unlogged.Add(culprit);
                candidates.RemoveAt(executedCount - 1);
            }
            else
            {
                // Its verdict may rest on one of those: it is executed again as well, first in the next batch, where it is alone with
                // what is committed.
                PutBackOrDrop(candidates.Skip(executedCount - 1), batch.Term);
                candidates.RemoveRange(executedCount - 1, candidates.Count - executedCount + 1);
            }

            started = Stopwatch.GetTimestamp();
        }

        foreach (var (write, _) in batch.Succeeded.Where(s => s.Write.Command.Interactive is not null))
        {
            _transactions.Committing(write.Command);
        }

        return batch.Succeeded.Count == 0
            ? null
            : new WriteBatch(
                stamp.TimeMs,
                stamp.Seed,
                [.. batch.Succeeded.Select(s => new LoggedWrite(s.Write.Command, s.Outcome.Observation) { Summary = s.Outcome.Summary })])
            {
                History = HistoryTermsOf(batch),
                ChangesBytesMax = _options.ChangesBytesMax,
            };
    }

    private HistoryTerms? HistoryTermsOf(OpenBatch batch) =>
        _options.HistoryRowsMax == 0
            ? null
            : new(
                _options.HistoryRowsMax,
                (long)_options.HistoryAgeMax.TotalMilliseconds,
                batch.Succeeded.Select(s => s.Write.Command.Id.Node).Distinct().ToDictionary(n => n, n => AddressOf(new(n))));

    private void ExecuteOne(QueuedWrite write, OpenBatch batch)
    {
        if (write.Deadline.HasPassed)
        {
            batch.Unlogged.Add((write, new WriteOutcome.Failed(new(
                FailureCode.Timeout,
                IsTrusted()
                    ? "The write waited longer than its time limit for others before it. It was not done; send it again."
                    : "The leader has not yet found its content equal to a majority's, as it was just started or another node observes something else than it recorded; so it takes no writes. This one was not done; send it again in a moment."))));
            return;
        }

        if (write.Command.Operation is PromoteOperation { Node: var heir } && RefusalToPromote(new(heir)) is { } refusal)
        {
            batch.Unlogged.Add((write, new WriteOutcome.Failed(refusal)));
            return;
        }

        if (write.Command is { Client: not null, Token: null } && Tokens is { All.Count: > 0 })
        {
            // Its node has yet to hear of the first token.
            batch.Unlogged.Add((write, new WriteOutcome.Failed(new(FailureCode.Unauthorized, "This cluster asks for a token since a moment ago. Nothing was done."))));
            return;
        }

        var rights = new WriteRights(MaySchema: write.Command.Id.Node == _databases.MasterNode, write.Command.Role, write.ResultBytesMax);
        if (write.Command.Interactive is not null)
        {
            if (_transactions.Find(write.Command, out var content) is { } lost)
            {
                batch.Unlogged.Add((write, new WriteOutcome.Failed(lost)));
                return;
            }

            if (!content!.HasWritten)
            {
                _transactions.Committing(write.Command);
                _transactions.Committed(write.Command);
                batch.Unlogged.Add((write, new WriteOutcome.Remembered([], _databases.AppliedIndex)));
                return;
            }

            rights = rights with { Expected = content.Observation };
            write = write with { Command = write.Command with { Statements = content.Statements, Interactive = content.Terms, WithoutForeignKeys = content.WithoutForeignKeys } };
        }

        var started = Stopwatch.GetTimestamp();
        var outcome = _databases.Execute(write.Command, batch.Succeeded.Count, rights, write.Deadline.Remaining);
        NodeTracing.Ended("execute", write.Trace, started, batch.Index.Value);
        if (outcome is WriteOutcome.Succeeded succeeded)
        {
            if (write.Command.Operation is DropDatabaseOperation { Name: var dropped })
            {
                _transactions.DatabaseGone(dropped);
            }
            else if (write.Command.Operation is LoadDatabaseOperation { Name: var loaded })
            {
                _transactions.DatabaseGone(loaded);
            }

            // Another node gets its client's results from its own execution of the entry.
            batch.Succeeded.Add((write, write.Command.Id.Node == _self.Value ? succeeded : succeeded with { Results = [] }));
        }
        else
        {
            batch.Unlogged.Add((write, outcome));
        }
    }

    private Failure? RefusalToPromote(NodeId heir)
    {
        var membership = _raft.View.Membership;
        return membership.Find(heir) is null ? MembershipPolicy.NoSuchNode(heir, membership)
            : membership.IsVoter(heir) ? null
            : new(FailureCode.Conflict, $"Node {heir} cannot become the master as long as it does not vote ({membership}). Nothing was done; try again when it has caught up.");
    }

    /// <summary>Leadership is lost, or the proposal came too late for it: undoes the open batch.</summary>
    private void Abandon(OpenBatch batch)
    {
        _batch = null;
        _databases.Rollback();
        bool wasRefused;
        lock (_lock)
        {
            wasRefused = batch == _refusedBatch;
            _refusedBatch = null;
        }

        // A refused proposal never comes near the log. One that was taken is in it or not, which the log alone will tell; but what
        // was not meant for the log can be sent again at once. (A refusal within the term means a hand-over, which may fail.)
        PutBackOrDrop(wasRefused ? batch.Writes : batch.Unlogged.Select(u => u.Write), batch.Term);
    }

    /// <summary>Writes taken in a term wait on while this node leads that term, and are dropped with it: no other term may have them.</summary>
    private void PutBackOrDrop(IEnumerable<QueuedWrite> writes, Term term)
    {
        lock (_lock)
        {
            if (_leadership.Leads(term))
            {
                _queue.PutBack(writes);
                return;
            }
        }

        AnnounceDropped(writes, term);
    }

    private void AnnounceDropped(IEnumerable<QueuedWrite> writes, Term term)
    {
        foreach (var write in writes.Where(w => w.Command.Id.Node == _self.Value))
        {
            _pending.Dropped(write.Command.Id, term);
        }
    }

    /// <summary>
    /// Nothing to log, so no entry confirms that this node still led when it saw what the answers rest on; a read round does.
    /// If it does not lead any more, the writes' origins send them to whoever does.
    /// </summary>
    private void AnswerOnceStillLeader(OpenBatch batch)
    {
        if (batch.Unlogged.Count == 0)
        {
            return;
        }

        _raft.ReadIndexAsync(_stopped.Token).ContinueWith(
            confirmed =>
            {
                if (confirmed.IsCompletedSuccessfully && _raft.Leadership.Leads(batch.Term))
                {
                    AnswerUnlogged(batch);
                }
            },
            CancellationToken.None,
            TaskContinuationOptions.None,
            TaskScheduler.Default);
    }

    private void AnswerUnlogged(OpenBatch batch)
    {
        foreach (var (write, outcome) in batch.Unlogged)
        {
            var id = write.Command.Id;
            switch (outcome)
            {
                case WriteOutcome.Failed { Failure: var failure }:
                    lock (_lock)
                    {
                        if (_leadership.Leads(batch.Term))
                        {
                            _queue.Refuse(id, failure);
                        }
                    }

                    SendRefusal(id, batch.Term, failure);
                    break;
                case WriteOutcome.Remembered { Index: var index, Results: var results }:
                    lock (_lock)
                    {
                        if (_leadership.Leads(batch.Term))
                        {
                            _queue.Forget(id);
                        }
                    }

                    SendRemembered(new(id, batch.Term, new(index), results));
                    break;
                default:
                    throw new UnreachableException(outcome.GetType().Name);
            }
        }
    }

    private void SendRefusal(WriteId id, Term term, Failure failure)
    {
        if (id.Node == _self.Value)
        {
            _pending.Refused(id, term, failure);
        }
        else
        {
            _send(new(id.Node), new WriteRefused(id, term, failure));
        }
    }

    private void SendReply(NodeId origin, TransactionReply reply)
    {
        if (origin == _self)
        {
            TransactionAnswered(reply);
        }
        else
        {
            _send(origin, reply);
        }
    }

    private void SendRemembered(WriteRemembered message)
    {
        if (message.Id.Node == _self.Value)
        {
            _pending.Remembered(message.Id, message.Term, message.Index, message.Results);
        }
        else
        {
            _send(new(message.Id.Node), message);
        }
    }
}
