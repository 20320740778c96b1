using DistDb.Node.Raft;
using static DistDb.Tests.Raft.TestNode;

namespace DistDb.Tests.Raft;

/// <summary>
/// Nodes whose log is not the one that the cluster means: they have forgotten what they promised (Raft Figure 2, "persistent state"), so
/// their word must not count.
/// </summary>
public sealed class AbstentionTests
{
    // Raft Figure 2: votes and terms must outlive crashes. Whoever cannot know whether they did gives none.
    [Fact]
    public void A_new_log_is_held_back_until_it_is_released()
    {
        var node = new TestNode(isHeldBack: true);
        node.Ask<PreVoteResponse>(PreVoteRequest(A, 1)).Granted.Should().BeFalse();
        node.Ask<RequestVoteResponse>(VoteRequest(A, 1)).Granted.Should().BeFalse();
        node.Tick(1000).Should().BeEmpty();
        node.Hear(new TimeoutNow(A, Me, new(1))).Should().BeEmpty();
        node.Raft.Role.Should().Be(Role.Follower);

        node.Raft.Release();

        node.Ask<PreVoteResponse>(PreVoteRequest(A, 2)).Granted.Should().BeTrue();
        node.Ask<RequestVoteResponse>(VoteRequest(A, 2)).Granted.Should().BeTrue();
        node.TimeOut().Should().NotBeEmpty();
    }

    // Raft §5.3: it follows as usual, but what it confirms is not a majority's business: it may have promised a later leader to ignore this one.
    [Fact]
    public void Who_is_held_back_follows_and_says_that_it_does_not_count()
    {
        var node = new TestNode(isHeldBack: true);

        node.Ask<AppendEntriesAccepted>(Append(A, 1, 0, 0, Entries(1, 1), round: 3)).MayVote.Should().BeFalse();
        node.Ask<AppendEntriesRejected>(Append(A, 1, 9, 1, [])).MayVote.Should().BeFalse();
        node.DiskTerms.Should().Equal(1);
    }

    // Raft §5.4.1 with thesis §4.1: a log that the configuration does not mean, or nobody's, has no vote.
    [Theory]
    [InlineData(MyLog, true, true)]
    [InlineData(555UL, true, false)]
    [InlineData(MyLog, false, true)]
    [InlineData(555UL, false, false)]
    [InlineData(0UL, true, true)]
    [InlineData(0UL, false, false)]
    public void Only_the_log_that_the_configuration_means_votes(ulong recorded, bool isVoter, bool votes)
    {
        var members = Voters(3).With(new(Me, isVoter, recorded, ""));
        var node = new TestNode(term: 1, entries: [Configuration(1, 1, members)], commit: 1);

        node.Raft.MayVote.Should().Be(votes);
        node.Ask<PreVoteResponse>(PreVoteRequest(A, 2, 1, 1)).Granted.Should().Be(votes);
        node.Ask<RequestVoteResponse>(VoteRequest(A, 2, 1, 1)).Granted.Should().Be(votes);
        node.Ask<AppendEntriesAccepted>(Append(A, 2, 1, 1, [])).MayVote.Should().Be(votes);
    }

    // Thesis §4.1: a candidate may know a configuration that the voter's log lacks, so a learner votes, and the candidate decides whether it counts. It
    // may mean the log that was lost, but the answer says whose it is. How far the log is committed the learner may have forgotten by a crash.
    [Fact]
    public void A_learner_votes_as_soon_as_its_log_is_named()
    {
        Entry[] entries = [Configuration(1, 1, Voters(3).With(Voter(Me, 555))), Configuration(2, 1, Voters(3).With(Learner(Me, MyLog)))];
        var node = new TestNode(term: 1, entries: entries, commit: 1);

        var answer = node.Ask<RequestVoteResponse>(VoteRequest(A, 2, 3, 1));

        (answer.Granted, answer.LogId).Should().Be((true, MyLog));
        new TestNode(term: 1, entries: entries[..1], commit: 1).Raft.MayVote.Should().BeFalse();
    }

    // Thesis §4.1: who is held back in the initial configuration is met as a learner, and votes when its log is in the configuration.
    [Fact]
    public void Who_was_held_back_votes_once_its_log_is_named()
    {
        var node = new TestNode(isHeldBack: true);
        node.Ask<AppendEntriesAccepted>(Append(A, 1, 0, 0, [Configuration(1, 1, Voters(3).With(Voter(Me, 0)))])).MayVote.Should().BeFalse();

        node.Ask<AppendEntriesAccepted>(Append(A, 1, 1, 1, [Configuration(2, 1, Voters(3).With(Learner(Me, MyLog)))], commit: 2)).MayVote.Should().BeTrue();
        node.Ask<AppendEntriesAccepted>(Append(A, 1, 2, 1, [Configuration(3, 1, Voters(3))])).MayVote.Should().BeTrue();
    }

    // Raft §5.3: the leader's side: an entry is committed by those whose word counts.
    [Fact]
    public void A_forgetful_nodes_confirmation_does_not_commit()
    {
        var node = new TestNode();
        node.BecomeLeader();

        node.Hear(Accepted(A, 1, 1, mayVote: false));
        node.Raft.CommitIndex.Should().Be(LogIndex.Zero);
        node.Raft.FollowerProgress.Single(f => f.Id == A).Should().Be(new FollowerState(A, IsVoter: true, LogOf(A), new(1), IsActive: true, MayVote: false));
        node.Hear(Accepted(A, 1, 1, mayVote: true));

        node.Raft.CommitIndex.Should().Be(new LogIndex(1), "it may vote by now");
    }

    // Thesis §6.4: nor does it confirm that the leader still leads: it may have voted for another.
    [Fact]
    public void A_forgetful_node_confirms_no_reads()
    {
        var node = new TestNode();
        node.BecomeSettledLeader();
        node.Raft.RequestRead(1);
        var round = node.Drain().OfType<AppendEntries>().Max(m => m.ReadRound);

        node.Hear(Accepted(A, 1, 1, round, mayVote: false));
        node.Hear(new AppendEntriesRejected(A, Me, new(1), LogOf(A), new(1), new(0), new(0), round, MayVote: false));
        node.Reads.Should().BeEmpty();
        node.Hear(Accepted(B, 1, 1, round));

        node.Reads.Should().ContainSingle();
    }

    // Thesis §6.2: but it answers, so the leader need not think that it is cut off; it could not make the node a voter again if it stepped down.
    [Fact]
    public void A_forgetful_node_keeps_its_leader()
    {
        var node = new TestNode(voterCount: 2);
        node.BecomeSettledLeader();
        for (var i = 0; i < 3; i++)
        {
            node.Hear(Accepted(A, 1, 0, mayVote: false));
            node.Tick(DefaultOptions.ElectionTimeoutTicksMin);
        }

        node.Raft.Role.Should().Be(Role.Leader);
    }

    // Raft Figure 2: a promise is kept by the log that it was written to. Where that was lost, what it said is void, however late it arrives.
    [Fact]
    public void What_a_lost_log_confirmed_does_not_commit()
    {
        var node = LeaderWhereAWasTakenInAgain();
        node.Propose();
        node.Drain();

        node.Hear(Accepted(A, 1, 5));
        node.Hear(new AppendEntriesRejected(A, Me, new(1), LogOf(A), new(4), new(0), new(0), 0, MayVote: true)).Should().BeEmpty();

        node.Raft.CommitIndex.Should().Be(new LogIndex(4), "it was another log that had the entry");
        node.Raft.FollowerProgress.Single(f => f.Id == A).MatchIndex.Should().Be(new LogIndex(4));
        node.Hear(Accepted(A, 1, 5, logId: 999));
        node.Raft.CommitIndex.Should().Be(new LogIndex(5));
    }

    // Thesis §6.4: nor does it say anything about who leads now.
    [Fact]
    public void What_a_lost_log_confirmed_does_not_confirm_reads()
    {
        var node = LeaderWhereAWasTakenInAgain();
        node.Raft.RequestRead(1);
        var round = node.Drain().OfType<AppendEntries>().Max(m => m.ReadRound);

        node.Hear(Accepted(A, 1, 4, round));
        node.Reads.Should().BeEmpty();
        node.Hear(Accepted(A, 1, 4, round, logId: 999));

        node.Reads.Should().ContainSingle();
    }

    // Raft §5.2: nor does its vote elect anybody, nor its refusal prevent it.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_lost_logs_vote_is_nobodys(bool granted)
    {
        var node = new TestNode(term: 1, entries: [Configuration(1, 1, Voters(3).With(Voter(A, 999)))], commit: 1);
        node.TimeOut();

        node.Hear(PreVoteAnswer(A, granted ? 2 : 1, granted)).Should().BeEmpty();
        node.Raft.Role.Should().Be(Role.PreCandidate);
        node.Hear(PreVoteAnswer(A, 2, logId: 999)).Should().NotBeEmpty("the first answer of the log that counts");
        node.Hear(Vote(A, 2, granted)).Should().BeEmpty();
        node.Raft.Role.Should().Be(Role.Candidate);
        node.Hear(Vote(A, 2, logId: 999));

        node.Raft.Role.Should().Be(Role.Leader);
    }

    // Thesis §4.2.3: like a stranger, it must not depose a leader by what it says.
    [Fact]
    public void A_lost_logs_term_deposes_nobody()
    {
        var node = LeaderWhereAWasTakenInAgain();

        node.Hear(new AppendEntriesRejected(A, Me, new(9), LogOf(A), new(4), new(0), new(0), 0, MayVote: true)).Should().BeEmpty();
        node.Hear(Vote(A, 9, granted: false)).Should().BeEmpty();

        node.Raft.Role.Should().Be(Role.Leader);
        node.Raft.Term.Should().Be(new Term(1));
    }

    // Thesis §6.2: somebody is there, so the leader is not cut off; but what a new log has to say counts only when the configuration names it.
    [Fact]
    public void A_new_log_that_nobody_has_recorded_keeps_its_leader_and_no_more()
    {
        var node = new TestNode(voterCount: 2);
        node.BecomeSettledLeader();
        node.Settle(Voters(2));
        node.Propose();
        node.Drain();
        for (var i = 0; i < 3; i++)
        {
            node.Hear(Accepted(A, 1, 3, logId: 999)).Should().BeEmpty();
            node.Tick(DefaultOptions.ElectionTimeoutTicksMin);
        }

        node.Raft.Role.Should().Be(Role.Leader);
        node.Raft.CommitIndex.Should().Be(new LogIndex(2));
        node.Raft.FollowerProgress.Should().Equal(new FollowerState(A, IsVoter: true, LogOf(A), new(2), IsActive: true, MayVote: false));
    }

    // Raft §5.3: a log that nobody has recorded yet may be lost too; the one that comes next is told everything anew.
    [Fact]
    public void A_voter_that_was_not_recorded_yet_and_has_another_log_is_probed_anew()
    {
        var node = new TestNode();
        node.BecomeLeader();
        node.Hear(Accepted(A, 1, 1));
        node.Raft.FollowerProgress.Single(f => f.Id == A).Should().Be(new FollowerState(A, IsVoter: true, LogOf(A), new(1), IsActive: true, MayVote: true));

        node.Hear(Accepted(A, 1, 0, mayVote: false, logId: 999));

        node.Raft.FollowerProgress.Single(f => f.Id == A).Should().Be(new FollowerState(A, IsVoter: true, 999, new(0), IsActive: true, MayVote: false));
    }

    // Thesis §4.1: what the lost log confirmed is not taken for the new log's.
    [Fact]
    public void A_member_with_another_log_is_probed_anew()
    {
        var node = new TestNode();
        node.BecomeSettledLeader();
        node.Settle(Voters(3));
        node.ProposeMembership(Voters(3).With(Learner(A, 999)));
        node.Drain();

        node.Raft.FollowerProgress.Single(f => f.Id == A).MatchIndex.Should().Be(LogIndex.Zero);
    }

    /// <summary>Leads two voters in term 1, of whom A has lost the log that it had and votes again with the log 999; the last entry is 4.</summary>
    private static TestNode LeaderWhereAWasTakenInAgain()
    {
        var node = new TestNode(voterCount: 2);
        node.BecomeSettledLeader();
        node.Settle(Voters(2));
        node.Settle(Voters(2).With(Learner(A, 999)));
        node.Settle(Voters(2).With(Voter(A, 999)));
        node.Raft.LastIndex.Should().Be(new LogIndex(4));
        return node;
    }
}
