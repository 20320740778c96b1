namespace DistDb.Node.Raft;

/// <summary>What a leader knows about one follower (Raft Figure 2, "volatile state on leaders").</summary>
internal sealed class Progress(LogIndex nextIndex)
{
    private readonly Queue<LogIndex> _inflight = new();
    private bool _wasActive;

    /// <summary>The identity of the log whose progress this is; 0 until it answers.</summary>
    public ulong LogId { get; set; }

    /// <summary>Everything up to here is on the follower's disk.</summary>
    public LogIndex MatchIndex { get; private set; }

    /// <summary>
    /// The part of <see cref="MatchIndex"/> that counts for majorities: what the follower confirmed while it might vote. A node that lost its log
    /// may have promised another leader, in a later term, not to take anything from this one.
    /// </summary>
    public LogIndex CountedIndex { get; private set; }

    /// <summary>The next entry to send; always above <see cref="MatchIndex"/>.</summary>
    public LogIndex NextIndex { get; private set; } = nextIndex;

    /// <summary>
    /// True while it is not known where the follower's log agrees: one message at a time then. False once it is: entries are sent
    /// ahead of the answers, within a window.
    /// </summary>
    public bool IsProbing { get; private set; } = true;

    /// <summary>A probe is out; the next waits for its answer or for the next heartbeat.</summary>
    public bool ProbeSent { get; set; }

    /// <summary>Heard of since the leader last looked for a majority.</summary>
    public bool RecentlyActive { get; private set; } = true;

    /// <summary>Heard of since then, or within the election timeout before.</summary>
    public bool IsActive => RecentlyActive || _wasActive;

    /// <summary>Whether the follower's last answer said that it may vote.</summary>
    public bool MayVote { get; private set; }

    /// <summary>The entry by which the follower was removed; it still gets that one.</summary>
    public LogIndex? RemovedAt { get; set; }

    /// <summary>Ticks since its removal was committed.</summary>
    public int TicksRemoved { get; set; }

    /// <summary>The commit index that the follower was last told.</summary>
    public LogIndex CommitSent { get; set; }

    /// <summary>The newest read round that the follower has confirmed.</summary>
    public long ReadRoundConfirmed { get; set; }

    /// <summary>Messages with entries under way.</summary>
    public int InflightCount => _inflight.Count;

    /// <summary>The follower answered.</summary>
    public void Heard(bool mayVote)
    {
        RecentlyActive = true;
        MayVote = mayVote;
    }

    /// <summary>The leader has looked for a majority.</summary>
    public void Looked() => (_wasActive, RecentlyActive) = (RecentlyActive, false);

    /// <summary>The follower has everything up to <paramref name="match"/>. False if that was known.</summary>
    public bool Accepted(LogIndex match)
    {
        while (_inflight.Count > 0 && _inflight.Peek() <= match)
        {
            _inflight.Dequeue();
        }

        var isNews = match > MatchIndex || (MayVote && match > CountedIndex);
        MatchIndex = LogIndex.Max(MatchIndex, match);
        CountedIndex = MayVote ? LogIndex.Max(CountedIndex, match) : CountedIndex;
        if (IsProbing)
        {
            // From the proven point on; what a probe carried beyond it has been answered too.
            IsProbing = false;
            NextIndex = MatchIndex.Next;
        }
        else
        {
            NextIndex = LogIndex.Max(NextIndex, MatchIndex.Next);
        }

        return isNews;
    }

    /// <summary>The follower's log does not hold <paramref name="prevLogIndex"/> and cannot agree behind <paramref name="lastPossibleMatch"/>: probe there.</summary>
    public void Rejected(LogIndex prevLogIndex, LogIndex lastPossibleMatch)
    {
        _inflight.Clear();
        IsProbing = true;
        ProbeSent = false;
        if (prevLogIndex <= MatchIndex)
        {
            // It denies what it once confirmed: its disk was replaced by an empty one, and it must learn everything again. (Or the answer
            // is an old one; then too little is believed of it for a moment, which does no harm.)
            MatchIndex = LogIndex.Min(MatchIndex, lastPossibleMatch);
            CountedIndex = LogIndex.Min(CountedIndex, MatchIndex);
        }

        NextIndex = LogIndex.Max(MatchIndex, lastPossibleMatch).Next;
    }

    /// <summary>Whether a refusal speaks of what was sent last, not of something older that arrived late.</summary>
    public bool IsCurrentRejection(LogIndex prevLogIndex) =>
        IsProbing ? prevLogIndex == NextIndex.Previous : prevLogIndex >= MatchIndex;

    /// <summary>Entries up to <paramref name="last"/> are under way.</summary>
    public void Sent(LogIndex last)
    {
        if (IsProbing)
        {
            ProbeSent = true;
            return;
        }

        _inflight.Enqueue(last);
        NextIndex = last.Next;
    }
}
