using System.Diagnostics;
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
internal sealed partial class WriteLoop : IDisposable
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
}
