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

    // Thesis §4.1: a candidate may know a configuration that the voter's log lacks, so a learner votes, and the candidate decides whether it counts.
    // But only once its demotion is committed: before, the candidate may mean the log that was lost.
    [Fact]
    public void A_learner_votes_when_the_entry_that_names_its_log_is_committed()
    {
        Entry[] entries = [Configuration(1, 1, Voters(3).With(Voter(Me, 555))), Configuration(2, 1, Voters(3).With(Learner(Me, MyLog)))];
        var node = new TestNode(term: 1, entries: entries, commit: 1);
        node.Raft.MayVote.Should().BeFalse();

        node.Hear(Append(A, 1, 2, 1, [], commit: 2));
        node.Raft.MayVote.Should().BeTrue();
        node.Hear(Append(A, 1, 2, 1, [Configuration(3, 1, Voters(4).With(Learner(Me, MyLog)))]));

        node.Raft.MayVote.Should().BeTrue("another change takes nothing from it");
    }

    // Thesis §4.1: who is held back in the initial configuration is met as a learner, and votes when it is in the configuration again.
    [Fact]
    public void Who_was_held_back_votes_once_it_was_promoted()
    {
        var node = new TestNode(isHeldBack: true);
        node.Hear(Append(A, 1, 0, 0, [Configuration(1, 1, Voters(3).With(Learner(Me, MyLog)))]));
        node.Raft.MayVote.Should().BeFalse();

        node.Ask<AppendEntriesAccepted>(Append(A, 1, 1, 1, [Configuration(2, 1, Voters(3))])).MayVote.Should().BeTrue();
    }

    // Raft §5.3: the leader's side: an entry is committed by those whose word counts.
    [Fact]
    public void A_forgetful_nodes_confirmation_does_not_commit()
    {
        var node = new TestNode();
        node.BecomeLeader();

        node.Hear(Accepted(A, 1, 1, mayVote: false));
        node.Raft.CommitIndex.Should().Be(LogIndex.Zero);
        node.Raft.FollowerProgress.Single(f => f.Id == A).Should().Be(new FollowerState(A, IsVoter: true, new(1), IsActive: true, MayVote: false));
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
        node.Hear(new AppendEntriesRejected(A, Me, new(1), new(1), new(0), new(0), round, MayVote: false));
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
}
