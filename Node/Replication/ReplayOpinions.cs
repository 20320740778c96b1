using DistDb.Node.Raft;
using DistDb.Node.Transport;

namespace DistDb.Node.Replication;

/// <summary>
/// Finds out who is right where an entry of the log did not do the same on all nodes. Whoever is in doubt about an entry, because it does
/// something else here than its leader recorded or because a voter says that it does there, asks; everybody who has seen it answers everybody;
/// a majority of the voters decides. Thread safe; calls out without holding its lock.
/// </summary>
internal sealed class ReplayOpinions(
    NodeId self, OwnOpinions own, Func<Membership> members, Func<IReadOnlyList<NodeId>> peers, Action<NodeId, PeerMessage> send)
{
    private const long AskAgainMs = 500;

    /// <summary>An opinion that was not repeated for so long is void: its node was stopped, or has none any more.</summary>
    private const long ForgetMs = 5000;

    private readonly Lock _lock = new();
    private readonly SortedDictionary<LogIndex, Question> _questions = [];
    private TaskCompletionSource? _dispute;

    /// <summary>What this node has applied is not in doubt any more.</summary>
    public Action Settled { get; init; } = () => { };

    /// <summary>Whether a voter says of an entry that this node has applied that it did something else, and no majority is known to side with this node.</summary>
    public bool IsDisputed => Volatile.Read(ref _dispute) is not null;

    /// <summary>Waits until what this node has applied is not in doubt.</summary>
    /// <exception cref="OperationCanceledException">The token fired first.</exception>
    public Task WaitUntilSettledAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            return _dispute?.Task.WaitAsync(cancellationToken) ?? Task.CompletedTask;
        }
    }

    /// <summary>Takes in what a peer says of an entry, and answers.</summary>
    public void Receive(NodeId from, ReplayOpinion opinion, long nowMs)
    {
        bool isSettled;
        lock (_lock)
        {
            Find(opinion.Index, nowMs).Opinions[from] = (opinion.Observation, nowMs);
            isSettled = UpdateDispute(nowMs);
        }

        if (isSettled)
        {
            Settled();
        }

        if (opinion.IsQuestion && own.At(opinion.Index) is { } observation)
        {
            Tell(opinion with { Observation = observation, IsQuestion = false });
        }
    }

    /// <summary>Asks what is to be asked, again and again. Called every few dozen milliseconds.</summary>
    /// <returns>The entries that this node is in doubt about, or on which it has been proved right or wrong.</returns>
    public IReadOnlyList<OpenQuestion> Sweep(long nowMs)
    {
        List<OpenQuestion> open = [];
        List<ReplayOpinion> asked = [];
        bool isSettled;
        lock (_lock)
        {
            var waiting = own.Disagreement?.Index;
            if (waiting is { } index)
            {
                Find(index, nowMs);
            }

            foreach (var question in _questions.Values.ToArray())
            {
                Forget(question, nowMs);
                if (question.Opinions.Count == 0 && question.Index != waiting)
                {
                    _questions.Remove(question.Index);
                }
                else if (own.At(question.Index) is { } mine && Judge(question) is var judge
                    && (question.Index == waiting || IsDoubted(question, mine, judge)))
                {
                    open.Add(new(question.Index, mine, question.Majority, judge, question.OpenedAtMs));
                    if (nowMs - question.AskedAtMs >= AskAgainMs)
                    {
                        question.AskedAtMs = nowMs;
                        asked.Add(new(question.Index, mine, IsQuestion: true));
                    }
                }
            }

            isSettled = UpdateDispute(nowMs);
        }

        if (isSettled)
        {
            Settled();
        }

        foreach (var opinion in asked)
        {
            Tell(opinion);
        }

        return open;
    }

    /// <summary>What is known now of what an entry did on the nodes.</summary>
    public ReplayJudge JudgeOf(LogIndex index)
    {
        lock (_lock)
        {
            return Judge(_questions.GetValueOrDefault(index) ?? new(index, 0));
        }
    }

    private void Tell(ReplayOpinion opinion)
    {
        foreach (var peer in peers())
        {
            send(peer, opinion);
        }
    }

    private Question Find(LogIndex index, long nowMs)
    {
        if (!_questions.TryGetValue(index, out var question))
        {
            _questions.Add(index, question = new(index, nowMs));
        }

        return question;
    }

    private static void Forget(Question question, long nowMs)
    {
        foreach (var (node, (_, atMs)) in question.Opinions)
        {
            if (nowMs - atMs > ForgetMs)
            {
                question.Opinions.Remove(node);
            }
        }
    }

    private ReplayJudge Judge(Question question)
    {
        var opinions = question.Opinions.ToDictionary(o => o.Key, o => o.Value.Observation);
        if (own.At(question.Index) is { } mine)
        {
            opinions[self] = mine;
        }

        var judge = new ReplayJudge(members(), opinions);
        question.Majority ??= judge.Majority;
        return judge;
    }

    /// <summary>The caller has had it judged.</summary>
    private bool IsDoubted(Question question, ulong mine, ReplayJudge judge) =>
        question.Majority != mine && judge.Opponents(mine).Any(members().IsVoter);

    /// <returns>Whether a dispute has just ended.</returns>
    private bool UpdateDispute(long nowMs)
    {
        var waiting = own.Disagreement?.Index;
        var isDisputed = _questions.Values.Any(q =>
        {
            Forget(q, nowMs);
            return q.Index != waiting && own.At(q.Index) is { } mine && IsDoubted(q, mine, Judge(q));
        });
        if (isDisputed)
        {
            if (_dispute is null)
            {
                Volatile.Write(ref _dispute, new(TaskCreationOptions.RunContinuationsAsynchronously));
            }

            return false;
        }

        var ended = _dispute;
        Volatile.Write(ref _dispute, null);
        ended?.SetResult();
        return ended is not null;
    }

    /// <summary>What is known of one entry.</summary>
    private sealed class Question(LogIndex index, long openedAtMs)
    {
        public LogIndex Index { get; } = index;

        public long OpenedAtMs { get; } = openedAtMs;

        public Dictionary<NodeId, (ulong Observation, long AtMs)> Opinions { get; } = [];

        /// <summary>What a majority of the voters observed, once it was known: that does not change, whoever falls silent.</summary>
        public ulong? Majority { get; set; }

        public long AskedAtMs { get; set; } = long.MinValue / 2;
    }
}

/// <summary>An entry that a node is in doubt about, or on which it has been proved right or wrong.</summary>
/// <param name="Index">The entry.</param>
/// <param name="Own">What it did, or would do, on this node.</param>
/// <param name="Majority">What a majority of the voters observed, or null while that is not known.</param>
/// <param name="Judge">Who observed what, as far as it is known now.</param>
/// <param name="SinceMs">When it was opened.</param>
internal sealed record OpenQuestion(LogIndex Index, ulong Own, ulong? Majority, ReplayJudge Judge, long SinceMs);
