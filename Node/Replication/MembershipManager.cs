using DistDb.Node.Commands;
using DistDb.Node.Raft;
using DistDb.Node.Transport;

namespace DistDb.Node.Replication;

/// <summary>
/// Changes who belongs to the cluster. At the leader it proposes what <see cref="MembershipPolicy"/> finds due and what was wished for, one change
/// at a time; at every node it carries wishes to the leader, again and again, until they are seen in the log or refused. Wishes are
/// about how things should be, so asking twice does no harm. Thread safe.
/// </summary>
internal sealed class MembershipManager(
    NodeId self, ulong logId, string address, RaftLoop raft, IPeerTransport transport, Action<Membership, Membership> propose, Func<NodeId> master)
{
    private const long AskAgainMs = 250;
    private const long ProposeAgainMs = 1000;
    private const long NewLeaderMs = 1000;

    private readonly Lock _lock = new();
    private readonly Dictionary<long, Wish> _wishes = [];
    private long _nextNumber = Random.Shared.NextInt64(long.MaxValue / 2);
    private (LogIndex From, long AtMs)? _proposed;
    private long _guestsAskedAtMs;
    private Term _ledTerm;
    private long _leadsSinceMs;

    /// <summary>Has a change made; null once it is committed, else why it was not.</summary>
    /// <exception cref="OperationCanceledException">It was not seen in time; it may still come.</exception>
    public async Task<Failure?> ChangeAsync(MembershipChange change, CancellationToken cancellationToken)
    {
        var wish = new Wish(change);
        long number;
        lock (_lock)
        {
            number = _nextNumber++;
            _wishes.Add(number, wish);
        }

        try
        {
            Carry(number, wish);
            return await wish.Outcome.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            lock (_lock)
            {
                _wishes.Remove(number);
            }
        }
    }

    /// <summary>A peer asks for a change. Only the leader answers, and only with a refusal: that it was done shows in the log.</summary>
    public void OnRequest(NodeId from, MembershipRequest request)
    {
        if (Handle(request.Change) is { } failure)
        {
            transport.Send(from, new MembershipRefused(request.Number, failure));
        }
    }

    public void OnRefused(MembershipRefused refused)
    {
        lock (_lock)
        {
            _wishes.GetValueOrDefault(refused.Number)?.Outcome.TrySetResult(refused.Failure);
        }
    }

    /// <summary>Called every few dozen milliseconds.</summary>
    public void Sweep()
    {
        var now = Environment.TickCount64;
        var view = raft.View;
        List<(long Number, Wish Wish)> due;
        lock (_lock)
        {
            foreach (var wish in _wishes.Values.Where(w => view.IsCommitted && MembershipPolicy.IsDone(view.Membership, w.Change)))
            {
                wish.Outcome.TrySetResult(null);
            }

            due = [.. _wishes.Where(w => now - w.Value.AskedAtMs >= AskAgainMs).Select(w => (w.Key, w.Value))];
        }

        foreach (var (number, wish) in due)
        {
            Carry(number, wish);
        }

        if (now - _guestsAskedAtMs >= AskAgainMs)
        {
            _guestsAskedAtMs = now;
            SpeakForGuests(view.Membership);
        }

        var leadership = raft.Leadership;
        if (!leadership.IsLeader || leadership.Term != _ledTerm)
        {
            (_ledTerm, _leadsSinceMs) = (leadership.Term, now);
        }

        if (leadership.IsLeader && MayPropose(view) && MembershipPolicy.NextStep(view.Membership, Facts(view)) is { } next)
        {
            Propose(view, next);
        }
    }

    /// <summary>Nodes that want to be taken in know one node of the cluster, perhaps not the leader; that one speaks for them.</summary>
    private void SpeakForGuests(Membership membership)
    {
        foreach (var guest in transport.Guests)
        {
            if (transport.IdentityOf(guest) is { IsJoining: true } identity && membership.Find(guest)?.LogId != identity.LogId)
            {
                Ask(new(0, new JoinChange(guest, identity.LogId, identity.Address)));
            }
        }
    }

    private void Carry(long number, Wish wish)
    {
        wish.AskedAtMs = Environment.TickCount64;
        if (Ask(new(number, wish.Change)) is { } failure)
        {
            wish.Outcome.TrySetResult(failure);
        }
    }

    private Failure? Ask(MembershipRequest request)
    {
        var leadership = raft.Leadership;
        if (leadership.IsLeader)
        {
            return Handle(request.Change);
        }

        if (leadership.Leader is { } leader)
        {
            transport.Send(leader, request);
        }

        return null;
    }

    /// <summary>The leader's part. Null where the change is under way or will be asked for again.</summary>
    private Failure? Handle(MembershipChange change)
    {
        var view = raft.View;
        if (!raft.Leadership.IsLeader || !MayPropose(view))
        {
            return null;
        }

        var (membership, failure) = MembershipPolicy.Judge(view.Membership, change, Facts(view));
        if (failure is not null || membership!.Equals(view.Membership))
        {
            return failure;
        }

        if (change is RemoveChange { Node: var leaving } && leaving == self)
        {
            // The next leader, who will be asked as well, removes this node.
            _ = raft.HandOverLeadershipAsync(IsConnected);
        }
        else
        {
            Propose(view, membership);
        }

        return null;
    }

    /// <summary>One at a time: the last is committed, and what was proposed since was either taken or came to nothing.</summary>
    private bool MayPropose(ClusterView view)
    {
        lock (_lock)
        {
            return view.IsCommitted
                && !(_proposed is { } p && p.From == view.MembershipIndex && Environment.TickCount64 - p.AtMs < ProposeAgainMs);
        }
    }

    private void Propose(ClusterView view, Membership membership)
    {
        lock (_lock)
        {
            _proposed = (view.MembershipIndex, Environment.TickCount64);
        }

        propose(membership, view.Membership);
    }

    private bool IsConnected(NodeId node) => transport.StateOf(node).IsConnected;

    private MembershipFacts Facts(ClusterView view) => new(
        self,
        logId,
        address,
        master(),
        raft.CommitIndex,
        Environment.TickCount64 - _leadsSinceMs < NewLeaderMs,
        view.Membership.Members
            .Where(m => m.Id != self)
            .Select(m => (m.Id, transport.StateOf(m.Id).Identity))
            .Where(m => m.Identity is not null)
            .ToDictionary(m => m.Id, m => m.Identity!),
        view.Followers.ToDictionary(f => f.Id));

    private sealed class Wish(MembershipChange change)
    {
        public MembershipChange Change { get; } = change;

        public long AskedAtMs { get; set; }

        public TaskCompletionSource<Failure?> Outcome { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
