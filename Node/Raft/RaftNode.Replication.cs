namespace DistDb.Node.Raft;

/// <summary>How a leader's log becomes everybody's (Raft §5.3, §5.4.2).</summary>
public sealed partial class RaftNode
{
    private readonly SortedDictionary<NodeId, Progress> _progress = [];
    private NodeId? _transferTarget;

    /// <summary>For a leader, the index of its term's no-op; zero for others.</summary>
    public LogIndex TermStart { get; private set; }

    /// <summary>What this leader knows of each other member; empty for other roles.</summary>
    public IEnumerable<FollowerState> FollowerProgress => _progress
        .Where(p => p.Value.RemovedAt is null)
        .Select(p => new FollowerState(p.Key, Membership.IsVoter(p.Key), p.Value.LogId, p.Value.MatchIndex, p.Value.IsActive, p.Value.MayVote));

    /// <summary>A leader that refuses proposals while it hands over.</summary>
    public bool IsHandingOver => _transferTarget is not null;

    /// <summary>
    /// Appends a command, if this node leads <paramref name="term"/>, is not handing over, and <paramref name="index"/> is the next in its
    /// log. False means that nothing was appended and never will be by this call.
    /// </summary>
    public bool TryPropose(Term term, LogIndex index, ReadOnlyMemory<byte> data)
    {
        CheckNotBusy();
        if (!MayPropose(term, index))
        {
            return false;
        }

        AppendOwn(EntryKind.Command, data);
        return true;
    }

    /// <summary>
    /// Hands leadership to <paramref name="target"/>: it is brought up to date, then told to call an election. Proposals are refused
    /// meanwhile; given up after an election timeout. False if this node does not lead or the target is not another voter.
    /// </summary>
    public bool TransferLeadership(NodeId target)
    {
        CheckNotBusy();
        if (Role != Role.Leader || target == Id || !Membership.IsVoter(target))
        {
            return false;
        }

        var progress = _progress[target];
        if (_transferTarget is null)
        {
            // A full timeout for the target; asking again does not prolong it, nor put off the check for a majority.
            _electionElapsed = 0;
        }

        _transferTarget = target;
        if (progress.MatchIndex == _log.LastIndex)
        {
            _earlyMessages.Add(new TimeoutNow(Id, target, Term));
        }
        else
        {
            SendEntries(target, progress);
        }

        return true;
    }

    private bool MayPropose(Term term, LogIndex index) =>
        Role == Role.Leader && Term == term && _transferTarget is null && index == _log.LastIndex.Next;

    private void BecomeLeader()
    {
        Role = Role.Leader;
        Leader = Id;
        _heartbeatElapsed = 0;
        _electionElapsed = 0;
        ForgetLeadership();
        foreach (var peer in Membership.Members.Where(m => m.Id != Id))
        {
            _progress.Add(peer.Id, new(_log.LastIndex.Next));
        }

        TermStart = _log.LastIndex.Next;
        AppendOwn(EntryKind.NoOp, default);
    }

    private void ForgetLeadership()
    {
        _progress.Clear();
        _transferTarget = null;
        TermStart = LogIndex.Zero;
        ForgetReads();
    }

    private void AppendOwn(EntryKind kind, ReadOnlyMemory<byte> data)
    {
        _log.Append(new(_log.LastIndex.Next, Term, kind, data));
        FollowMembership();
        foreach (var (peer, progress) in _progress)
        {
            SendEntries(peer, progress);
        }
    }

    private void TickLeader()
    {
        if (_electionElapsed >= _options.ElectionTimeoutTicksMin)
        {
            _electionElapsed = 0;
            _transferTarget = null;
            if (!CheckMajority())
            {
                return;
            }
        }

        ForgetTheRemoved();
        if (++_heartbeatElapsed >= _options.HeartbeatTicks)
        {
            BroadcastHeartbeat();
        }
    }

    /// <summary>A leader that a majority does not answer steps down (thesis §6.2): another may lead by now.</summary>
    private bool CheckMajority()
    {
        var active = _voters.Count(v => v == Id || _progress[v].RecentlyActive);
        if (active < Quorum.Size(_voters.Length))
        {
            BecomeFollower(Term, null);
            return false;
        }

        foreach (var progress in _progress.Values)
        {
            progress.Looked();
        }

        return true;
    }

    private void BroadcastHeartbeat()
    {
        _heartbeatElapsed = 0;
        foreach (var (peer, progress) in _progress)
        {
            // Without entries even where some wait: the answer shows whether the follower lacks them, and then they are sent.
            SendAppend(peer, progress, [], wantsAnswer: true);
        }
    }

    /// <summary>Sends as many entries as the follower's window allows. False if that was none.</summary>
    private bool SendEntries(NodeId peer, Progress progress)
    {
        var sent = false;
        var last = LastEntryFor(peer);
        while (!NeedsSnapshot(progress) && progress.NextIndex <= last
            && (progress.IsProbing ? !progress.ProbeSent : progress.InflightCount < _options.InflightMessagesMax))
        {
            var entries = _log.Read(progress.NextIndex, last, _options.AppendBytesMax);
            SendAppend(peer, progress, entries, wantsAnswer: true);
            progress.Sent(entries[^1].Index);
            sent = true;
        }

        return sent;
    }

    private bool NeedsSnapshot(Progress progress) => progress.NextIndex <= _log.BaseIndex;

    /// <summary>Whether telling the follower how far the log is committed would help it now.</summary>
    private bool LacksCommit(Progress progress) =>
        !progress.IsProbing && !NeedsSnapshot(progress) && progress.CommitSent < CommitIndex;

    private void SendAppend(NodeId peer, Progress progress, IReadOnlyList<Entry> entries, bool wantsAnswer)
    {
        var prev = progress.NextIndex.Previous;
        _earlyMessages.Add(NeedsSnapshot(progress)
            ? new InstallSnapshot(Id, peer, Term, _log.BaseIndex, _readRound)
            : new AppendEntries(Id, peer, Term, prev, _log.TermAt(prev)!.Value, entries, CommitIndex, _readRound, wantsAnswer));
        progress.CommitSent = CommitIndex;
    }

    /// <summary>
    /// Commits what a majority has on disk, but counts replicas only for entries of this term; earlier ones are committed with
    /// them (Raft §5.4.2, Figure 8).
    /// </summary>
    private void AdvanceCommitIndex()
    {
        // This node's own share is what its disk holds, which is less than its log while entries are being written.
        var stable = _log.Unstable.Count > 0 ? _log.Unstable[0].Index.Previous : _log.LastIndex;
        Span<long> match = stackalloc long[_voters.Length];
        for (var i = 0; i < _voters.Length; i++)
        {
            match[i] = _voters[i] == Id ? stable.Value : _progress[_voters[i]].CountedIndex.Value;
        }

        var reached = new LogIndex(Quorum.Reached(match));
        if (reached <= CommitIndex || _log.TermAt(reached) != Term)
        {
            return;
        }

        var settlesMembership = MembershipIndex > CommitIndex && MembershipIndex <= reached;
        CommitIndex = reached;
        ServeReadsOfNewTerm();

        // At once, not with the next heartbeat: a follower answers a client's write only after it has applied it.
        foreach (var (peer, progress) in _progress)
        {
            var sent = settlesMembership && SendEntries(peer, progress);
            if (!sent && LacksCommit(progress))
            {
                SendAppend(peer, progress, [], wantsAnswer: false);
            }
        }
    }

    /// <summary>
    /// The owner has replaced its state by a snapshot, and its log on disk by nothing but the snapshot's place (unless the log held that
    /// very entry, and what follows it was kept). Called between a Ready's <see cref="Advance"/> and the next input.
    /// <para>
    /// The snapshot must come from a node whose term, when it made it, was no later than the one that this node has on disk. Otherwise the
    /// leader that this node still follows may never have had those entries, and this node would put that leader's behind them.
    /// </para>
    /// </summary>
    /// <param name="index">The last entry whose effects the snapshot holds; the store's <see cref="ILogStore.BaseIndex"/> or behind it.</param>
    public void SnapshotInstalled(LogIndex index)
    {
        CheckNotBusy();
        Invariant.Check(_log.Unstable.Count == 0, "a snapshot is installed when everything is on disk");
        Invariant.Check(index >= _log.BaseIndex && index <= _log.LastIndex, "the log begins where the snapshot ends");
        CommitIndex = LogIndex.Max(CommitIndex, index);
        _commitHandedOut = LogIndex.Max(_commitHandedOut, index);
        _log.Memberships.Reload();
        FollowMembership();
        if (Role == Role.Follower && Leader is { } leader)
        {
            _messages.Add(new AppendEntriesAccepted(Id, leader, Term, _logId, CommitIndex, 0, MayVote));
        }
    }

    /// <summary>
    /// Part of a message from a node has come, and the rest is on its way. If that is the leader, it is there, and no election is due: a large
    /// message takes longer than an election timeout on a slow link, and heartbeats wait behind it.
    /// </summary>
    public void HearPart(NodeId from)
    {
        CheckNotBusy();
        if (Role == Role.Follower && Leader == from)
        {
            _electionElapsed = 0;
        }
    }

    private void HearLeader(NodeId leader)
    {
        Invariant.Check(Role != Role.Leader, "a term has one leader");
        if (Role != Role.Follower || Leader is null)
        {
            BecomeFollower(Term, leader);
        }

        Invariant.Check(Leader == leader, "a term has one leader");
        _electionElapsed = 0;
    }

    private void OnInstallSnapshot(InstallSnapshot m)
    {
        HearLeader(m.From);
        if (CommitIndex >= m.BaseIndex)
        {
            _messages.Add(new AppendEntriesAccepted(Id, m.From, Term, _logId, CommitIndex, m.ReadRound, MayVote));
            return;
        }

        _snapshotWanted = m.BaseIndex;
        _messages.Add(new AppendEntriesRejected(Id, m.From, Term, _logId, m.BaseIndex, _log.LastIndex, _log.LastTerm, m.ReadRound, MayVote));
    }

    private void OnAppendEntries(AppendEntries m)
    {
        HearLeader(m.From);

        // What is committed agrees with every leader's log, so a place before its end needs no comparison.
        if (m.PrevLogIndex > CommitIndex && _log.TermAt(m.PrevLogIndex) != m.PrevLogTerm)
        {
            var hint = _log.LastPossibleMatch(m.PrevLogIndex, m.PrevLogTerm);
            _messages.Add(new AppendEntriesRejected(
                Id, m.From, Term, _logId, m.PrevLogIndex, hint, _log.TermAt(hint)!.Value, m.ReadRound, MayVote));
            return;
        }

        foreach (var entry in m.Entries.Where(e => e.Index > CommitIndex))
        {
            var known = _log.TermAt(entry.Index);
            if (known is null)
            {
                _log.Append(entry);
            }
            else if (known != entry.Term)
            {
                _log.TruncateFrom(entry.Index, entry);
            }
        }

        FollowMembership();
        var lastNew = m.PrevLogIndex + m.Entries.Count;
        CommitIndex = LogIndex.Max(CommitIndex, LogIndex.Min(m.LeaderCommit, lastNew));
        if (m.WantsAnswer)
        {
            _messages.Add(new AppendEntriesAccepted(Id, m.From, Term, _logId, LogIndex.Max(lastNew, CommitIndex), m.ReadRound, MayVote));
        }
    }

    private void OnAppendEntriesAccepted(AppendEntriesAccepted m)
    {
        if (Role != Role.Leader)
        {
            return;
        }

        Invariant.Check(m.MatchIndex <= _log.LastIndex, "a follower matches no more than the leader has");
        var progress = ProgressOf(m);
        progress.Heard(m.MayVote);
        ConfirmReads(progress, m.ReadRound);
        if (progress.Accepted(m.MatchIndex))
        {
            AdvanceCommitIndex();
            if (_transferTarget == m.From && progress.MatchIndex == _log.LastIndex)
            {
                _earlyMessages.Add(new TimeoutNow(Id, m.From, Term));
            }
        }

        if (progress.RemovedAt <= progress.MatchIndex)
        {
            _progress.Remove(m.From);
            return;
        }

        if (!SendEntries(m.From, progress) && LacksCommit(progress))
        {
            SendAppend(m.From, progress, [], wantsAnswer: false);
        }
    }

    private void OnAppendEntriesRejected(AppendEntriesRejected m)
    {
        if (Role != Role.Leader)
        {
            return;
        }

        var progress = ProgressOf(m);
        progress.Heard(m.MayVote);
        ConfirmReads(progress, m.ReadRound);
        if (!progress.IsCurrentRejection(m.PrevLogIndex))
        {
            return;
        }

        progress.Rejected(m.PrevLogIndex, _log.LastPossibleMatch(m.HintIndex, m.HintTerm));
        SendEntries(m.From, progress);
    }
}
