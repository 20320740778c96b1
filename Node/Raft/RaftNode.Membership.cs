namespace DistDb.Node.Raft;

/// <summary>
/// Who counts (thesis §4). A configuration is in force as soon as it is in a node's log; each differs from the one before by one voter at most,
/// and the next comes only when the last is committed, so any two majorities that could decide at the same time share a voter.
/// <para>
/// That argument is about logs rather than machines. A machine that lost its log has forgotten whom it voted for and that it left
/// an earlier leader's term, so with its new log it is somebody else: its word counts for nothing (<see cref="MayVote"/>) until it was taken out of
/// the voters and in again, under its new log's identity. Both sides see to that: it abstains, as far as it knows; and whoever asked hears only
/// the log that the configuration means (<see cref="Answer.LogId"/>), because what the lost one said may still be under way.
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
    /// configuration names it, be it as a learner's, which others may know to be a voter's by now: they know whom they count by <see cref="Answer.LogId"/>.
    /// (To those who have no log of this node on record it could pass for the one before; but the entry that takes the voters' place away from that
    /// one comes here only when it is committed, see <see cref="LastEntryFor"/>, and then those can win no election and commit nothing.)
    /// As long as the configuration has not met the node, and in the initial one, it is unless the node is held back.
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
                { LogId: var recorded } => recorded == _logId,
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
        if (Leader is null && Role == Role.Follower)
        {
            ShortenElectionTimer();
        }
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

        return Membership.Find(member.Id) is null || !(_progress[member.Id] is { MayVote: true, LogId: var said } && said == member.LogId);
    }

    /// <summary>
    /// An answer that says nothing, not even a term: for a leader that of a node which it did not ask, at least not any more; for all that of another log
    /// than the one on record. That one may be lost, or not taken in yet. Only that somebody is there counts: the leader is not cut off.
    /// </summary>
    private bool IsVoid(Answer answer)
    {
        var progress = _progress.GetValueOrDefault(answer.From);
        var recorded = Membership.Find(answer.From)?.LogId ?? Membership.Removed.GetValueOrDefault(answer.From);
        if (recorded == 0 || recorded == answer.LogId)
        {
            return Role == Role.Leader && progress is null;
        }

        if (answer is AppendEntriesAccepted or AppendEntriesRejected && answer.Term == Term)
        {
            progress?.Heard(mayVote: false);
        }

        return true;
    }

    /// <summary>What is known of the log that answers: nothing yet where it was another before, as may be while none is on record.</summary>
    private Progress ProgressOf(Answer answer)
    {
        var progress = _progress[answer.From];
        if (progress.LogId != 0 && progress.LogId != answer.LogId)
        {
            progress = _progress[answer.From] = new(_log.LastIndex) { RemovedAt = progress.RemovedAt };
        }

        progress.LogId = answer.LogId;
        return progress;
    }

    /// <summary>The log has changed, and perhaps what it says about the cluster.</summary>
    private void FollowMembership()
    {
        if (ReferenceEquals(Membership, _log.Memberships.Current))
        {
            return;
        }

        Membership = _log.Memberships.Current;
        _voters = [.. Membership.Voters];
        if (Role == Role.Leader)
        {
            FollowMembershipAsLeader();
        }
        else if (Role != Role.Follower)
        {
            // By a snapshot. Those who were asked are not those who decide any more.
            BecomeFollower(Term, null);
        }
    }

    private void FollowMembershipAsLeader()
    {
        foreach (var member in Membership.Members.Where(m => m.Id != Id))
        {
            if (!_progress.TryGetValue(member.Id, out var known) || known.RemovedAt is not null || (known.LogId != 0 && known.LogId != member.LogId))
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
