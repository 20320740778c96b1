using System.Diagnostics;
using DistDb.Node.Raft;
using DistDb.Node.Storage;
using DistDb.Node.Transport;

namespace DistDb.Node.Replication;

/// <summary>
/// The one thread that owns the Raft core and writes the log.
/// <para>
/// Its order is the safety argument. Inputs that wait are all taken in before the disk is touched, so that one sync serves them all.
/// Then, for each <see cref="Ready"/>: who leads is made known on this node; a leader's entries are sent, since they promise nothing and
/// travel while this disk writes; term, vote and entries are written and synced; only then leave the messages that promise them; then the core learns of it; then
/// the write loop is told how far the log is committed. If the disk fails the loop ends and so does the node: after a failed sync
/// nobody knows what the disk holds until it is read anew, so it is never tried again.
/// </para>
/// </summary>
internal sealed class RaftLoop : IDisposable
{
    // A thread that slept longer than it meant to (a stopped process, a long pause) makes up for at most this many ticks: it must hear its peers before it
    // judges them.
    private const int LateTicksMax = 3;

    private readonly RaftNode _core;
    private readonly RaftStorage _storage;
    private readonly Action<NodeId, PeerMessage> _sendToPeer;
    private readonly ReplicationOptions _options;
    private readonly Inbox<Input> _inbox;
    private readonly ReadRounds _reads;
    private readonly KeepAlive _keepAlive;
    private readonly List<TaskCompletionSource> _handOvers = [];
    private readonly StartingPoint _start = new();
    private Leadership _leadership;
    private ClusterView _view;
    private long _commitIndex;
    private long _trimTo;

    // Of the leader's unfinished messages, at the last tick.
    private (NodeId? Leader, long Count) _partsHeard;

    // How far the log was committed when the view was last renewed, so before a snapshot that came since.
    private LogIndex _viewedAt;
    private volatile bool _stopping;

    public RaftLoop(RaftNode core, RaftStorage storage, Action<NodeId, PeerMessage> send, ReplicationOptions options)
    {
        _core = core;
        _storage = storage;
        _sendToPeer = send;
        _options = options;
        _inbox = new(options.InboxMessagesMax);
        _keepAlive = new((to, message) => send(to, new RaftPeerMessage(message)), options.Raft.HeartbeatTicks * options.TickInterval, options.TimeProvider);
        _leadership = new(core.Term, null, Role.Follower, LogIndex.Zero, IsHandingOver: false);
        _commitIndex = core.CommitIndex.Value;
        _view = LookAround(isNews: false);
        _reads = new(core, roundTicksMax: 2 * options.Raft.HeartbeatTicks);
    }

    /// <summary>Told on this loop's thread when leadership changes, before anything else that follows from it.</summary>
    public Action<Leadership> LeadershipChanged { get; set; } = _ => { };

    /// <summary>Told on this loop's thread how far the log is committed.</summary>
    public Action<LogIndex> Committed { get; set; } = _ => { };

    /// <summary>Told on this loop's thread when <see cref="View"/> has another membership, or the same one was committed.</summary>
    public Action<ClusterView> MembershipChanged { get; set; } = _ => { };

    /// <summary>Asked on this loop's thread; see <see cref="IPeerTransport.PartCountOf"/>.</summary>
    public Func<NodeId, long> PartCountOf { get; set; } = _ => 0;

    /// <summary>Asked on this loop's thread whether another node should lead rather than this one.</summary>
    public Func<bool> IsHesitant { get; set; } = () => false;

    /// <summary>Asked on this loop's thread whether a node is a good leader as far as is known here: leadership is handed over to such, if there is one.</summary>
    public Func<NodeId, bool> IsFit { get; set; } = _ => true;

    public Leadership Leadership => Volatile.Read(ref _leadership);

    /// <summary>Everything up to here is committed for ever.</summary>
    public LogIndex CommitIndex => new(Interlocked.Read(ref _commitIndex));

    /// <summary>Who belongs to the cluster and, at the leader, how far each follower is; renewed with every change, and at least with every heartbeat.</summary>
    public ClusterView View => Volatile.Read(ref _view);

    /// <summary>Hands in a peer's message; drops it when too much waits, as a network would.</summary>
    public void Receive(Message message) => _inbox.TryPost(new PeerInput(message));

    /// <summary>Appends a command at an index in a term; <paramref name="refused"/> is called on this loop's thread if that is not possible any more.</summary>
    public void Propose(Term term, LogIndex index, ReadOnlyMemory<byte> data, Action refused) =>
        _inbox.Post(new ProposeInput(term, index, data, null, null, refused));

    /// <summary>The same for a configuration, which is refused where <paramref name="basis"/> is not the newest any more.</summary>
    public void Propose(Term term, LogIndex index, Membership membership, Membership basis, Action refused) =>
        _inbox.Post(new ProposeInput(term, index, default, membership, basis, refused));

    /// <summary>Lets a node with a new log take part in elections; see <see cref="RaftNode.Release"/>.</summary>
    public void Release() => _inbox.Post(new ReleaseInput());

    /// <summary>Writes down which cluster the log belongs to.</summary>
    public void SetClusterId(Guid id) => _inbox.Post(new ClusterIdInput(id));

    /// <summary>Told on this loop's thread, again and again, that only a snapshot from the leader that reaches an index can help this node.</summary>
    public Action<NodeId, LogIndex> SnapshotWanted { get; set; } = (_, _) => { };

    /// <summary>Lets old entries be cut off the log up to an index, whose effects the database holds durably.</summary>
    public void AllowTrim(LogIndex durable) => Interlocked.Exchange(ref _trimTo, durable.Value);

    /// <summary>Lets the log begin behind a snapshot that the database was replaced by; on disk when it returns. Not on this loop's thread.</summary>
    public Task InstallSnapshotAsync(ReceivedSnapshot snapshot)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _inbox.Post(new SnapshotInput(snapshot, done));
        return done.Task;
    }

    /// <summary>An index which, once applied, makes a local read linearizable. Waits for a leader and a majority until cancelled.</summary>
    public async Task<LogIndex> ReadIndexAsync(CancellationToken cancellationToken)
    {
        var waiter = new TaskCompletionSource<LogIndex>(TaskCreationOptions.RunContinuationsAsynchronously);
        var registration = cancellationToken.Register(() => waiter.TrySetCanceled(cancellationToken));
        await using (registration.ConfigureAwait(false))
        {
            _inbox.Post(new ReadInput(waiter));
            return await waiter.Task.ConfigureAwait(false);
        }
    }

    /// <summary>The loop; returns after <see cref="Stop"/>.</summary>
    /// <exception cref="RaftStorageException">The disk failed.</exception>
    public void Run()
    {
        var inputs = new List<Input>();
        var clock = Stopwatch.StartNew();
        var ticked = TimeSpan.Zero;
        while (!_stopping)
        {
            // An idle node is not woken for ticks at which nothing can happen.
            var due = Interlocked.Read(ref _trimTo) > 0 ? 1 : Math.Min(_core.TicksUntilDue, _options.Raft.HeartbeatTicks);
            inputs.Clear();
            inputs = _inbox.Drain(inputs, ticked + (due * _options.TickInterval) - clock.Elapsed);

            var elapsed = (int)Math.Min((clock.Elapsed - ticked) / _options.TickInterval, int.MaxValue);
            ticked += elapsed * _options.TickInterval;
            var (quiet, loud) = CountTicks(elapsed, due);
            Tick(quiet);
            foreach (var input in inputs)
            {
                Handle(input);
            }

            if (elapsed > 0)
            {
                HearParts();
                _core.IsHesitant = IsHesitant();
                Tick(loud);
            }

            CarryOutAll();
            PublishLeadership();
            PublishView(isTick: elapsed > 0);
            Trim();
        }
    }

    /// <summary>How the ticks that have passed since the loop went to sleep count.</summary>
    /// <param name="elapsed">How many.</param>
    /// <param name="due">The one to be woken for, from 1.</param>
    /// <returns>Those slept through on purpose, which passed before any input came; and those at which something may happen.</returns>
    internal static (int Quiet, int Loud) CountTicks(int elapsed, int due)
    {
        var quiet = Math.Min(elapsed, due - 1);
        return (quiet, Math.Min(LateTicksMax, elapsed - quiet));
    }

    public void Stop()
    {
        _stopping = true;
        _inbox.Post(new WakeInput());
    }

    public void Dispose() => _keepAlive.Dispose();

    /// <summary>
    /// Hands leadership to the follower that has most of the log, among those that can be reached, and those that are fit if there are any; completes
    /// when this node does not lead (any more).
    /// </summary>
    public Task HandOverLeadershipAsync(Func<NodeId, bool> isReachable)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _inbox.Post(new HandOverInput(isReachable, done));
        return done.Task;
    }

    private void Tick(int count)
    {
        for (var i = 0; i < count; i++)
        {
            _core.Tick();
            _reads.Tick();
        }
    }

    /// <summary>Where a large message from the leader is on its way, tells the core, and the leader: it waits for an answer all the time.</summary>
    private void HearParts()
    {
        var (leader, count) = (_core.Leader, _core is { Role: Role.Follower, Leader: { } id } ? PartCountOf(id) : 0);
        if (leader is { } sender && sender == _partsHeard.Leader && count != _partsHeard.Count)
        {
            _core.HearPart(sender);
            _keepAlive.Repeat(sender);
        }

        _partsHeard = (leader, count);
    }

    /// <summary>A little at a time, behind everything else; more at the next tick.</summary>
    private void Trim()
    {
        var to = Interlocked.Read(ref _trimTo);
        if (to > 0)
        {
            using var writing = _keepAlive.During(bytes: 0);
            if (!_storage.Trim(new(to), _options.LogTailEntriesMax, _options.LogTailBytesMax))
            {
                Interlocked.CompareExchange(ref _trimTo, 0, to);
            }
        }
    }

    private void Send(Message message)
    {
        _sendToPeer(message.To, new RaftPeerMessage(message));
        _keepAlive.Sent(message);
    }

    private void Handle(Input input)
    {
        switch (input)
        {
            case PeerInput { Message: var message }:
                if (message is AppendEntries { Term: var term, LeaderCommit: var committed } && term >= _core.Term)
                {
                    _start.Hear(term, committed);
                }

                _core.Step(message);
                break;
            case ProposeInput p:
                if (!(p.Membership is { } membership ? _core.Membership.Equals(p.Basis) && _core.TryProposeMembership(p.Term, p.Index, membership) : _core.TryPropose(p.Term, p.Index, p.Data)))
                {
                    p.Refused();
                }

                break;
            case ReleaseInput when _storage.IsHeldBack:
                _storage.Release();
                _core.Release();
                break;
            case ClusterIdInput { Id: var id } when _storage.ClusterId != id:
                _storage.SetClusterId(id);
                break;
            case ReleaseInput or ClusterIdInput:
                break;
            case ReadInput { Waiter: var waiter }:
                _reads.Add(waiter);
                break;
            case HandOverInput { IsReachable: var isReachable, Done: var done }:
                FollowerState[] heirs = [.. _core.FollowerProgress.Where(f => f.IsVoter && f.MayVote && isReachable(f.Id))];
                if (heirs.Length > 0 && _core.TransferLeadership(heirs.MaxBy(f => (IsFit(f.Id), f.MatchIndex.Value)).Id))
                {
                    _handOvers.Add(done);
                }
                else
                {
                    done.SetResult();
                }

                break;
            case SnapshotInput { Snapshot: var snapshot, Done: var installed }:
                CarryOutAll();
                _storage.InstallBase(snapshot.Index, snapshot.Term, snapshot.Membership);
                _core.SnapshotInstalled(snapshot.Index);
                Interlocked.Exchange(ref _commitIndex, LogIndex.Max(CommitIndex, snapshot.Index).Value);
                installed.SetResult();
                break;
            case WakeInput:
                break;
            default:
                throw new UnreachableException(input.GetType().Name);
        }
    }

    private void CarryOutAll()
    {
        _reads.BeginRound();
        while (_core.HasReady)
        {
            CarryOut(_core.TakeReady());
            _reads.BeginRound();
        }
    }

    private void CarryOut(Ready ready)
    {
        // First of all: a follower sends its writes as soon as it hears of its leader, who would ignore what it does not know to be its own.
        PublishLeadership();
        foreach (var message in ready.EarlyMessages)
        {
            Send(message);
        }

        if (ready.MustSync)
        {
            using var writing = _keepAlive.During(ready.Entries.Sum(e => (long)e.Data.Length));
            _storage.Append(ready.HardState, ready.Entries);
        }

        foreach (var message in ready.Messages)
        {
            Send(message);
        }

        _core.Advance();
        if (ready.CommitIndex > CommitIndex)
        {
            Interlocked.Exchange(ref _commitIndex, ready.CommitIndex.Value);
            Committed(ready.CommitIndex);
        }

        if (ready.SnapshotWanted is { } minIndex && _leadership.Leader is { } leader)
        {
            SnapshotWanted(leader, minIndex);
        }

        foreach (var read in ready.Reads)
        {
            _reads.Confirm(read);
        }
    }

    private ClusterView LookAround(bool isNews) =>
        new(_core.Membership, _core.MembershipIndex, _core.MembershipIndex <= CommitIndex, isNews, [.. _core.FollowerProgress]);

    /// <summary>Whether the newest configuration was made while this process ran. One that came by a snapshot has no entry to tell it by.</summary>
    private bool IsNews() => _core.MembershipIndex > _storage.BaseIndex
        ? _start.IsBefore(_storage.TermAt(_core.MembershipIndex), _core.MembershipIndex)
        : _start.IsReached(_viewedAt);

    private void PublishView(bool isTick)
    {
        var known = _view;
        if (!isTick && ReferenceEquals(_core.Membership, known.Membership) && _core.MembershipIndex <= CommitIndex == known.IsCommitted)
        {
            return;
        }

        var now = LookAround(ReferenceEquals(_core.Membership, known.Membership) ? known.IsNews : IsNews());
        Volatile.Write(ref _view, now);
        _viewedAt = CommitIndex;
        if (now.MembershipIndex != known.MembershipIndex || now.IsCommitted != known.IsCommitted || !ReferenceEquals(now.Membership, known.Membership))
        {
            MembershipChanged(now);
        }
    }

    private void PublishLeadership()
    {
        var known = _leadership;
        var now = new Leadership(_core.Term, _core.Leader, _core.Role, _core.TermStart, _core.IsHandingOver);
        if (now == known)
        {
            return;
        }

        Volatile.Write(ref _leadership, now);
        _keepAlive.Forget();
        if (now.IsLeader)
        {
            _start.Hear(now.Term, now.TermStart);
        }

        if (!now.IsLeader || !now.IsHandingOver)
        {
            // Another leads, or it did not come to that in time.
            _handOvers.ForEach(done => done.TrySetResult());
            _handOvers.Clear();
        }

        LeadershipChanged(now);
    }

    private abstract record Input;

    private sealed record PeerInput(Message Message) : Input;

    private sealed record ProposeInput(Term Term, LogIndex Index, ReadOnlyMemory<byte> Data, Membership? Membership, Membership? Basis, Action Refused) : Input;

    private sealed record ReleaseInput : Input;

    private sealed record ClusterIdInput(Guid Id) : Input;

    private sealed record ReadInput(TaskCompletionSource<LogIndex> Waiter) : Input;

    private sealed record HandOverInput(Func<NodeId, bool> IsReachable, TaskCompletionSource Done) : Input;

    private sealed record SnapshotInput(ReceivedSnapshot Snapshot, TaskCompletionSource Done) : Input;

    private sealed record WakeInput : Input;
}
