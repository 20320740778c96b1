using DistDb.Node.Raft;
using DistDb.Node.Transport;

namespace DistDb.Node.Replication;

/// <summary>
/// The requests of this node's clients' interactive transactions that are with the leader: sends each again until it is answered, and gives it up where its term ends. Thread safe. Never calls
/// out while holding its lock.
/// </summary>
/// <param name="options">Settings.</param>
/// <param name="send">Carries a request to the leader, which may be this node itself.</param>
internal sealed class TransactionDesk(ReplicationOptions options, Action<NodeId, TransactionRequest> send)
{
    // The leader enforces the client's time limit. Past this much more, its word is not coming.
    private static readonly TimeSpan _grace = TimeSpan.FromSeconds(1);

    private readonly Lock _lock = new();
    private readonly Dictionary<Guid, Call> _calls = [];
    private TaskCompletionSource _leaderChanged = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private Leadership? _leadership;
    private bool _stopped;

    /// <summary>Who leads; waits until that is known.</summary>
    /// <param name="deadline">For how long.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <returns>Null where nobody does in time.</returns>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    public async Task<(NodeId Leader, Term Term)?> LeaderAsync(Deadline deadline, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (_stopped)
                {
                    return null;
                }

                if (_leadership is { Leader: { } leader, Term: var term })
                {
                    return (leader, term);
                }

                changed = _leaderChanged.Task;
            }

            try
            {
                await changed.WaitAsync(deadline.Remaining, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                return null;
            }
        }
    }

    /// <summary>Has the leader answer a request. Null where the term is over before that, or the leader silent.</summary>
    public Task<TransactionReply?> AskAsync(NodeId leader, TransactionRequest request)
    {
        var call = new Call(leader, request, Deadline.After(TimeSpan.FromMilliseconds(request.RemainingMs) + _grace));
        lock (_lock)
        {
            if (_stopped || !IsCurrent(call))
            {
                return Task.FromResult<TransactionReply?>(null);
            }

            _calls[request.Transaction] = call;
        }

        send(leader, request);
        return call.Completion.Task;
    }

    /// <summary>Tells the leader that a transaction is not wanted any more. It would find out by itself after a while.</summary>
    public void Abandon(NodeId leader, TransactionRequest rollback) => send(leader, rollback);

    /// <summary>The leader's answer.</summary>
    public void Answered(TransactionReply reply)
    {
        Call? call;
        lock (_lock)
        {
            if (!_calls.TryGetValue(reply.Transaction, out call) || call.Request.Number != reply.Number || call.Request.Term != reply.Term)
            {
                return;
            }

            _calls.Remove(reply.Transaction);
        }

        call.Completion.SetResult(reply);
    }

    public void LeadershipChanged(Leadership leadership)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            _leadership = leadership;
            changed = _leaderChanged;
            _leaderChanged = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.SetResult();
        GiveUp(call => !IsCurrent(call));
    }

    /// <summary>Repeats what got no answer, and gives up what is past its deadline. Called every few dozen milliseconds.</summary>
    public void Sweep()
    {
        GiveUp(call => call.Deadline.HasPassed);
        var now = Environment.TickCount64;
        List<Call> due;
        lock (_lock)
        {
            due = [.. _calls.Values.Where(c => now - c.SentAtMs >= (long)options.ResendInterval.TotalMilliseconds)];
            due.ForEach(c => c.SentAtMs = now);
        }

        due.ForEach(c => send(c.Leader, c.Request));
    }

    /// <summary>The node stops.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            _stopped = true;
        }

        GiveUp(_ => true);
    }

    /// <summary>The caller holds the lock. A node that has lost sight of its leader may find it again in the same term.</summary>
    private bool IsCurrent(Call call) => _leadership is { } leadership && leadership.Term == call.Request.Term && (leadership.Leader ?? call.Leader) == call.Leader;

    private void GiveUp(Func<Call, bool> which)
    {
        List<Call> lost;
        lock (_lock)
        {
            lost = [.. _calls.Values.Where(which)];
            lost.ForEach(c => _calls.Remove(c.Request.Transaction));
        }

        lost.ForEach(c => c.Completion.SetResult(null));
    }

    private sealed class Call(NodeId leader, TransactionRequest request, Deadline deadline)
    {
        public NodeId Leader { get; } = leader;

        public TransactionRequest Request { get; } = request;

        public Deadline Deadline { get; } = deadline;

        public long SentAtMs { get; set; } = Environment.TickCount64;

        public TaskCompletionSource<TransactionReply?> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
