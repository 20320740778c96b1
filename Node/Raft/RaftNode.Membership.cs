namespace DistDb.Node.Raft;

/// <summary>
/// Who counts (thesis §4). A configuration is in force as soon as it is in a node's log; each differs from the one before by one voter at most,
/// and the next comes only when the last is committed, so any two majorities that could decide at the same time share a voter.
/// <para>
/// That argument is about logs rather than machines. A machine that lost its log has forgotten whom it voted for and that it left
/// an earlier leader's term, so with its new log it is somebody else: its word counts for nothing (<see cref="MayVote"/>) until it was taken out of
/// the voters and in again, under its new log's identity.
/// </para>
/// </summary>
public sealed partial class RaftNode
{
    /// <summary>Who belongs to the cluster: the newest configuration in the log, else the initial one.</summary>
    public Membership Membership { get; private set; }

    /// <summary>Where in the log <see cref="Membership"/> stands; zero for the initial one, or where it was cut off the log.</summary>
    public LogIndex MembershipIndex => _log.Memberships.CurrentIndex;

    /// <summary>
    /// Whether this node's votes, and its confirmations of entries and reads, count: its log is the one that the configuration means. It is where the
    /// configuration names it and has the node as a voter, or is committed: until then the log that was there before may still count
    /// elsewhere. As long as the configuration has not met the node, and in the initial one, it is unless the node is held back.
    /// </summary>
    public bool MayVote
    {
        get
        {
            if (_log.Memberships.IsInitial)
            {
                return !_isHeldBack;
            }

            return Membership.Find(Id) switch
            {
                null => false,
                { LogId: 0, IsVoter: var isVoter } => isVoter && !_isHeldBack,
                { IsVoter: true, LogId: var recorded } => recorded == _logId,
                { LogId: var recorded } => recorded == _logId && _log.Memberships.At(CommitIndex).Find(Id)?.LogId == _logId,
            };
        }
    }

    /// <summary>
    /// Lets a node with a new log take part in elections. Until then it abstains: its log may be new because it was lost, and then the node
    /// no longer knows what it promised.
    /// </summary>
    public void Release()
    {
        CheckNotBusy();
        _isHeldBack = false;
    }

    /// <summary>
    /// Appends a configuration, under the same conditions as <see cref="TryPropose"/> and if, besides, the leader has committed an entry of its
    /// term, no other configuration is uncommitted, this node stays a voter, and at most one voter comes or goes (thesis §4.1, and the
    /// fault found in it later). Whoever becomes a voter must have said that it may vote, so it must have been a learner before; so must a voter whose log
    /// is named for the first time, and a voter's log is not named twice. False means that nothing was appended and never will be by this call.
    /// </summary>
    public bool TryProposeMembership(Term term, LogIndex index, Membership membership)
    {
        CheckNotBusy();
        if (!MayPropose(term, index)
            || CommitIndex < TermStart
            || CommitIndex < MembershipIndex
            || membership.Find(Id) is not { IsVoter: true } self
            || self.LogId != _logId
            || !MembershipRules.MayFollow(Membership, membership)
            || membership.Members.Any(BecomesVoterUnheard))
        {
            return false;
        }

        AppendOwn(EntryKind.Configuration, MembershipCodec.Encode(membership));
        return true;
    }

    /// <summary>
    /// A new voter that has not said that it may vote. If it knew nothing of its membership, it would refuse its vote when the others need it
    /// before the entry reaches it. And if the one that is met had lost its log before, only it could know: it is held back.
    /// </summary>
    private bool BecomesVoterUnheard(Member member)
    {
        if (!member.IsVoter || member.Id == Id || Membership.Find(member.Id) is { IsVoter: true, LogId: var known } && known == member.LogId)
        {
            return false;
        }

        return Membership.Find(member.Id) is null || !_progress[member.Id].MayVote;
    }

    /// <summary>An answer to something that this leader did not ask, at least not any more: it must not depose it either.</summary>
    private bool IsStrangersAnswer(Message message) =>
        Role == Role.Leader
        && message is AppendEntriesAccepted or AppendEntriesRejected or RequestVoteResponse or PreVoteResponse
        && !_progress.ContainsKey(message.From);

    /// <summary>The log has changed, and perhaps what it says about the cluster.</summary>
    private void FollowMembership()
    {
        if (ReferenceEquals(Membership, _log.Memberships.Current))
        {
            return;
        }

        var before = Membership;
        Membership = _log.Memberships.Current;
        _voters = [.. Membership.Voters];
        if (Role == Role.Leader)
        {
            FollowMembershipAsLeader(before);
        }
        else if (Role != Role.Follower)
        {
            // By a snapshot. Those who were asked are not those who decide any more.
            BecomeFollower(Term, null);
        }
    }

    private void FollowMembershipAsLeader(Membership before)
    {
        foreach (var member in Membership.Members.Where(m => m.Id != Id))
        {
            var hasAnotherLog = before.Find(member.Id) is { LogId: not 0 and var logId } && logId != member.LogId;
            if (hasAnotherLog || !_progress.TryGetValue(member.Id, out var known) || known.RemovedAt is not null)
            {
                _progress[member.Id] = new(_log.LastIndex);
            }
        }

        foreach (var (id, progress) in _progress)
        {
            if (progress.RemovedAt is null && Membership.Find(id) is null)
            {
                progress.RemovedAt = MembershipIndex;
            }
        }

        AnswerConfirmedReads();
    }

    /// <summary>
    /// The last entry that a follower may have. Who ceases to be a voter does not get the entry that says so before it is committed: with it the
    /// node would refuse its vote to those who lack it, and could not be elected itself, while the others might still need it.
    /// </summary>
    private LogIndex LastEntryFor(NodeId peer) =>
        MembershipIndex > CommitIndex && !Membership.IsVoter(peer) && _log.Memberships.At(MembershipIndex.Previous).IsVoter(peer)
            ? MembershipIndex.Previous
            : _log.LastIndex;

    /// <summary>Gives up on removed nodes that do not take the entry by which they were removed.</summary>
    private void ForgetTheRemoved()
    {
        NodeId[] gone =
        [
            .. _progress
                .Where(p => p.Value.RemovedAt <= CommitIndex && ++p.Value.TicksRemoved > _options.ElectionTimeoutTicksMax)
                .Select(p => p.Key),
        ];
        foreach (var id in gone)
        {
            _progress.Remove(id);
        }
    }
}
