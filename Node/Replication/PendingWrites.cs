using System.Diagnostics;
using DistDb.Node.Commands;
using DistDb.Node.Raft;
using DistDb.Node.Telemetry;
using DistDb.Node.Transport;

namespace DistDb.Node.Replication;

/// <summary>
/// The writes that clients gave this node and whose fate is not known yet: carries each to the leader, again and again if need be, and
/// recognises it when it comes back in the log. Thread safe. Never calls out while holding its lock.
/// <para>
/// Why a write is applied once, whatever is lost, repeated or killed on the way, without anything remembered on disk:
/// </para>
/// <list type="number">
/// <item>A copy is addressed to the leader of one term, and only that leader in that term may put it into the log.</item>
/// <item>Within its term the leader drops repeated copies (<see cref="OriginWindows"/>).</item>
/// <item>A copy for another term is made only when this node has applied an entry of a later term than the last copy's. Terms never
/// go back along the log, so every entry of that earlier term that will ever be committed stands before it and has been looked at
/// here: the write was not in it, and never will be.</item>
/// </list>
/// </summary>
internal sealed class PendingWrites(NodeId self, ulong incarnation, ReplicationOptions options)
{
    // The leader enforces the client's time limit. Past this much more, its word is not coming.
    private static readonly TimeSpan _verdictGrace = TimeSpan.FromSeconds(1);

    // For so many bytes of a write the leader's word is waited for one interval longer.
    private const long ResendBytes = 1 << 20;

    private readonly Lock _lock = new();
    private readonly Dictionary<long, Pending> _pending = [];
    private Leadership? _leadership;
    private Term _appliedTerm;
    private long _nextSequence = 1;
    private long _oldest = 1;
    private long _bytes;

    // Those whose copy for the current term must wait until fewer bytes are under way.
    private readonly SortedSet<long> _heldBack = [];
    private long _forwardedBytes;
    private bool _stopped;

    /// <summary>Carries a write to the leader, which may be this node itself.</summary>
    public required Action<NodeId, ForwardedWrite> Forward { get; init; }

    /// <summary>Explains, for a client, which nodes are missing.</summary>
    public required Func<string> DescribeQuorum { get; init; }

    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _pending.Count;
            }
        }
    }

    /// <summary>About how many bytes they have.</summary>
    public long Bytes
    {
        get
        {
            lock (_lock)
            {
                return _bytes;
            }
        }
    }

    /// <summary>Takes a client's write; completes when its fate is known or its deadline has passed.</summary>
    /// <param name="write">The write, whose id is made here.</param>
    /// <param name="deadline">Its client's.</param>
    /// <param name="resultBytesMax">
    /// For how many bytes of result rows memory is set apart. A write that returns more is undone, and refused with <see cref="Failure.ResultBytes"/>.
    /// </param>
    public Task<WriteResult> SubmitAsync(WriteCommand write, Deadline deadline, long resultBytesMax = 0)
    {
        Pending pending;
        (NodeId, ForwardedWrite)? copy;
        lock (_lock)
        {
            if (_stopped)
            {
                return Task.FromResult<WriteResult>(new WriteResult.NotDone(Stopping()));
            }

            var bytes = WriteSize.Of(write.Statements);

            // Operations are few and small, and one of them may be what all the others wait for.
            if (write.Operation is null
                && (_pending.Count >= options.PendingWritesMax || (_pending.Count > 0 && _bytes + bytes > options.PendingBytesMax)))
            {
                return Task.FromResult<WriteResult>(new WriteResult.NotDone(Overloaded()));
            }

            var command = write with { Id = new(self.Value, incarnation, _nextSequence++) };
            pending = new(command, bytes, deadline, resultBytesMax, NodeTracing.Current);
            _pending.Add(command.Id.Sequence, pending);
            _bytes += bytes;
            copy = NextCopy(pending);
        }

        Send(copy);
        return pending.Completion.Task;
    }

    /// <summary>Whether a write in the log is one that a client of this node still waits for.</summary>
    public bool IsAwaited(WriteId id)
    {
        lock (_lock)
        {
            return Find(id) is not null;
        }
    }

    /// <summary>What a write that a client of this node still waits for belongs to; default for nothing.</summary>
    public ActivityContext TraceOf(WriteId id)
    {
        lock (_lock)
        {
            return Find(id)?.Trace ?? default;
        }
    }

    /// <summary>A write of this node was applied.</summary>
    public void Applied(WriteId id, LogIndex index, IReadOnlyList<StatementResult> results) =>
        Complete(id, null, new WriteResult.Done(index, results));

    /// <summary>This node has applied an entry of a term; every earlier entry was announced by <see cref="Applied"/> before.</summary>
    public void AppliedTerm(Term term)
    {
        lock (_lock)
        {
            _appliedTerm = term;
        }

        SendAll(_ => true);
    }

    /// <summary>
    /// Entries were skipped by way of a snapshot, so that looking at all of them is not possible any more: a write that was sent before may
    /// be among them. It is not sent again; unless it is seen in the log after all, its outcome is unknown.
    /// </summary>
    public void Skipped()
    {
        lock (_lock)
        {
            foreach (var pending in _pending.Values)
            {
                pending.MayBeSkipped |= pending.SentTerm != Term.Zero;
            }
        }
    }

    public void LeadershipChanged(Leadership leadership)
    {
        lock (_lock)
        {
            _leadership = leadership;
            _forwardedBytes = _pending.Values.Where(IsForwarded).Sum(p => p.Bytes);
        }

        SendAll(_ => true);
    }

    /// <summary>The leader's verdict.</summary>
    public void Refused(WriteId id, Term term, Failure failure) => Complete(id, term, new WriteResult.NotDone(failure));

    /// <summary>The leader's word that the write was done before.</summary>
    public void Remembered(WriteId id, Term term, LogIndex index, IReadOnlyList<StatementResult> results) =>
        Complete(id, term, new WriteResult.Done(index, results));

    /// <summary>This node led a term and dropped its own client's write before it came near the log: as if never sent.</summary>
    public void Dropped(WriteId id, Term term)
    {
        lock (_lock)
        {
            if (Find(id) is { } pending && pending.SentTerm == term)
            {
                SetSentTerm(pending, Term.Zero);
            }
        }
    }

    /// <summary>Repeats what got no answer, and gives up what is past its deadline. Called every few dozen milliseconds.</summary>
    public void Sweep()
    {
        var now = Environment.TickCount64;
        var resendMs = (long)options.ResendInterval.TotalMilliseconds;

        // A large one takes its time, and its repetition would take the same again.
        SendAll(pending => now - pending.SentAtMs >= resendMs * (1 + (pending.Bytes / ResendBytes)));

        GiveUp(
            (pending, isSettled) => pending.Deadline.HasPassed && (isSettled || pending.Deadline.Plus(_verdictGrace).HasPassed),
            NoQuorum);
    }

    /// <summary>The node stops: whoever still waits is told what is known, and whoever comes later that it stops.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            _stopped = true;
        }

        GiveUp((_, _) => true, Stopping);
    }

    /// <summary>
    /// Ends the wait of some writes. They leave under the same lock that copies are made under: of a write that is answered as not done,
    /// none can be made for a leader that shows up just then.
    /// </summary>
    private void GiveUp(Func<Pending, bool, bool> isDue, Func<Failure> notDone)
    {
        List<(Pending Pending, bool IsSettled, bool WasHeldBack)> left = [];
        lock (_lock)
        {
            foreach (var pending in _pending.Values)
            {
                var isSettled = IsSettled(pending);
                if (isDue(pending, isSettled))
                {
                    left.Add((pending, isSettled, _heldBack.Contains(pending.Command.Id.Sequence)));
                    Remove(pending);
                }
            }
        }

        foreach (var (pending, isSettled, wasHeldBack) in left)
        {
            // The cluster is all right, and has others' writes to do.
            var failure = !isSettled ? Unknown(pending) : wasHeldBack && !_stopped ? Overloaded() : notDone();
            pending.Completion.SetResult(new WriteResult.NotDone(failure));
        }
    }

    /// <summary>A write of this process that is not answered yet; the caller holds the lock. An earlier process had the same sequence numbers.</summary>
    private Pending? Find(WriteId id) =>
        id.Node == self.Value && id.Incarnation == incarnation ? _pending.GetValueOrDefault(id.Sequence) : null;

    private void Remove(Pending pending)
    {
        _pending.Remove(pending.Command.Id.Sequence);
        _heldBack.Remove(pending.Command.Id.Sequence);
        _bytes -= pending.Bytes;
        _forwardedBytes -= IsForwarded(pending) ? pending.Bytes : 0;
    }

    /// <summary>Whether its copy is with the current leader, as far as is known here.</summary>
    private bool IsForwarded(Pending pending) => pending.SentTerm != Term.Zero && pending.SentTerm == _leadership?.Term;

    private void SetSentTerm(Pending pending, Term term)
    {
        _forwardedBytes -= IsForwarded(pending) ? pending.Bytes : 0;
        pending.SentTerm = term;
        _forwardedBytes += IsForwarded(pending) ? pending.Bytes : 0;
    }

    /// <summary>
    /// Whether a first copy for the current term must wait: large writes, and their repetition, would fill the link to the leader, until not
    /// even heartbeats come through in time. Operations are few and small, and one of them may be what all the others wait for.
    /// </summary>
    private bool MustWait(Pending pending) =>
        pending.Command.Operation is null
        && ((_heldBack.Count > 0 && _heldBack.Min < pending.Command.Id.Sequence)
            || (_forwardedBytes > 0 && _forwardedBytes + pending.Bytes > options.ForwardedBytesMax));

    /// <summary>Whether it is certain that no copy sent so far will ever be applied.</summary>
    private bool IsSettled(Pending pending) =>
        pending.SentTerm == Term.Zero || (pending.SentTerm < _appliedTerm && !pending.MayBeSkipped);

    /// <summary>The copy that may be sent now, if any; the caller holds the lock.</summary>
    private (NodeId Leader, ForwardedWrite Copy)? NextCopy(Pending pending)
    {
        if (_leadership is not { Leader: { } leader, Term: var term } || !(IsSettled(pending) || pending.SentTerm == term))
        {
            _heldBack.Remove(pending.Command.Id.Sequence);
            return null;
        }

        if (pending.SentTerm != term && MustWait(pending))
        {
            _heldBack.Add(pending.Command.Id.Sequence);
            return null;
        }

        _heldBack.Remove(pending.Command.Id.Sequence);
        SetSentTerm(pending, term);
        pending.SentAtMs = Environment.TickCount64;
        while (_oldest < _nextSequence && !_pending.ContainsKey(_oldest))
        {
            _oldest++;
        }

        return (leader, new(term, _oldest, (int)pending.Deadline.Remaining.TotalMilliseconds, pending.ResultBytesMax, pending.Command, pending.Trace));
    }

    private void SendAll(Func<Pending, bool> isDue)
    {
        List<(NodeId, ForwardedWrite)> copies = [];
        lock (_lock)
        {
            foreach (var pending in _pending.Values)
            {
                if (isDue(pending) && NextCopy(pending) is { } copy)
                {
                    copies.Add(copy);
                }
            }

            TakeHeldBack(copies);
        }

        foreach (var copy in copies)
        {
            Send(copy);
        }
    }

    /// <summary>Adds the copies that need not wait any more, oldest first; the caller holds the lock.</summary>
    private void TakeHeldBack(List<(NodeId, ForwardedWrite)> copies)
    {
        while (_heldBack.Count > 0 && _pending[_heldBack.Min] is var oldest && !MustWait(oldest))
        {
            if (NextCopy(oldest) is { } copy)
            {
                copies.Add(copy);
            }
        }
    }

    private void Send((NodeId Leader, ForwardedWrite Write)? copy)
    {
        if (copy is { } c)
        {
            Forward(c.Leader, c.Write);
        }
    }

    /// <summary>Ends a write's wait; a verdict counts only for the term that the last copy was sent to.</summary>
    private void Complete(WriteId id, Term? verdictOf, WriteResult result)
    {
        Pending? pending;
        List<(NodeId, ForwardedWrite)> copies = [];
        lock (_lock)
        {
            pending = Find(id);
            if (pending is null || (verdictOf is { } term && pending.SentTerm != term))
            {
                return;
            }

            Remove(pending);
            TakeHeldBack(copies);
        }

        pending.Completion.SetResult(result);
        foreach (var copy in copies)
        {
            Send(copy);
        }
    }

    private static Failure Overloaded() =>
        new(FailureCode.Overloaded, "Too many writes are waiting at this node. This one was not done; send it again in a moment.");

    private static Failure Stopping() =>
        new(FailureCode.NoQuorum, "This node is stopping. The write was not done; send it to another node.");

    private Failure NoQuorum() =>
        new(FailureCode.NoQuorum, $"The write was not done: {DescribeQuorum()} Send it again when more nodes are up; reads with consistency \"local\" still work.");

    private static Failure Unknown(Pending pending) => new(
        FailureCode.OutcomeUnknown,
        pending.Command.IdempotencyKey is { } key
            ? $"The cluster did not confirm the write in time; it may or may not be done. Send it again with the same id, \"{key}\": it will be done once."
            : "The cluster did not confirm the write in time; it may or may not be done. Look at the data before sending it again. Give writes an \"id\" to make sending them again safe.");

    private sealed class Pending(WriteCommand command, long bytes, Deadline deadline, long resultBytesMax, ActivityContext trace)
    {
        public WriteCommand Command { get; } = command;

        public long Bytes { get; } = bytes;

        public ActivityContext Trace { get; } = trace;

        public Deadline Deadline { get; } = deadline;

        public long ResultBytesMax { get; } = resultBytesMax;

        public TaskCompletionSource<WriteResult> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>The term that the last copy was addressed to; zero while none was sent.</summary>
        public Term SentTerm { get; set; }

        /// <summary>A copy may be in an entry that this node never saw.</summary>
        public bool MayBeSkipped { get; set; }

        public long SentAtMs { get; set; }
    }
}
