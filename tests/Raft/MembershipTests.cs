using DistDb.Node.Raft;
using static DistDb.Tests.Raft.TestNode;

namespace DistDb.Tests.Raft;

/// <summary>Membership changes, thesis §4: who is asked, told and counted.</summary>
public sealed class MembershipTests
{
    private static readonly NodeId _e = new(5);

    // Thesis §4.1: "The new configuration takes effect on each server as soon as it is added to that server's log".
    [Fact]
    public void A_configuration_is_in_force_as_soon_as_it_is_in_the_log()
    {
        var leader = SettledLeader(3, Learner(C, 103));
        leader.ProposeMembership(Voters(3).With(Voter(C, 103))).Should().BeTrue();
        leader.Raft.Membership.Should().Be(Voters(4));
        (leader.Raft.MembershipIndex, leader.Raft.CommitIndex).Should().Be((new LogIndex(3), new LogIndex(2)));

        var follower = new TestNode(term: 1);
        follower.Raft.Step(Append(A, 1, 0, 0, [Configuration(1, 1, Voters(4))]));
        follower.Raft.Membership.Should().Be(Voters(4), "nobody waits for the disk");
        follower.Raft.MembershipIndex.Should().Be(new LogIndex(1));
    }

    // Thesis §4.1: a server whose configuration entry was truncated "falls back to the previous configuration in its log".
    [Fact]
    public void Truncation_goes_back_to_the_configuration_before()
    {
        var node = new TestNode(term: 1);
        node.Hear(Append(A, 1, 0, 0, [Configuration(1, 1, Voters(3)), Configuration(2, 1, Voters(4)), Entry(3, 1)]));
        node.Raft.Membership.Should().Be(Voters(4));

        node.Hear(Append(B, 2, 1, 1, Entries(2, 2)));
        node.Raft.Membership.Should().Be(Voters(3));
        node.Hear(Append(C, 3, 0, 0, Entries(1, 3)));

        node.Raft.Membership.Should().Be(Membership.OfVoters([Me, A, B]));
        node.Raft.MembershipIndex.Should().Be(LogIndex.Zero);
    }

    // Thesis §4.1 with §5.1: what was cut off the log is remembered at its beginning.
    [Fact]
    public void A_restart_and_a_cut_change_nothing_about_who_belongs()
    {
        Entry[] entries = [Configuration(1, 1, Voters(3)), Entry(2, 1), Configuration(3, 1, Voters(4)), Entry(4, 1)];
        var node = new TestNode(term: 1, entries: entries, commit: 3);
        node.Raft.Membership.Should().Be(Voters(4));
        node.Raft.MembershipIndex.Should().Be(new LogIndex(3));

        node.Disk.CutTo(new(2));
        node.Hear(Append(A, 1, 4, 1, [Configuration(5, 1, Voters(5))]));
        node.Disk.CutTo(new(3));
        node.Hear(Append(B, 2, 4, 1, Entries(5, 2)));

        node.Raft.Membership.Should().Be(Voters(4), "the entry was cut off, not truncated");
        node.Raft.MembershipIndex.Should().Be(LogIndex.Zero);
    }

    // Thesis §5.1: a snapshot holds the configuration that its last entry was under.
    [Fact]
    public void A_snapshot_brings_its_configuration()
    {
        var node = new TestNode(term: 3);
        node.Hear(new InstallSnapshot(A, Me, new(3), new(10), 0));

        node.Disk.InstallBase(new(10), new(2), Voters(4));
        node.Raft.SnapshotInstalled(new(10));

        node.Raft.Membership.Should().Be(Voters(4));
        node.TimeOut().Select(m => m.To).Should().Equal(A, B, C);
    }

    // Thesis §4.1: "only one server can be added or removed from the cluster at a time".
    [Fact]
    public void One_voter_comes_or_goes_at_a_time()
    {
        var node = SettledLeader(3, Learner(C, 103), Learner(D, 104));

        node.ProposeMembership(Voters(5)).Should().BeFalse();
        node.ProposeMembership(new([Voter(Me, 100)])).Should().BeFalse();
        node.ProposeMembership(new([Voter(Me, 100), Voter(A, 101), Voter(C, 103)])).Should().BeFalse("one comes and one goes");
        node.Raft.LastIndex.Should().Be(new LogIndex(2));

        node.ProposeMembership(new([Voter(Me, 100), Voter(A, 101), Learner(B, 102), Learner(C, 103), Learner(D, 104)])).Should().BeTrue("learners are free");
    }

    // Thesis §4.1: "...when a configuration entry is committed, [it is] safe to start another".
    [Fact]
    public void The_next_change_waits_for_the_last_to_be_committed()
    {
        var node = SettledLeader(3, Learner(C, 103), Learner(D, 104));
        node.ProposeMembership(Voters(4).With(Learner(D, 104))).Should().BeTrue();
        node.Drain();
        node.Hear(Accepted(A, 1, 3));
        node.ProposeMembership(Voters(4)).Should().BeFalse("two of four have it");

        node.Hear(Accepted(B, 1, 3));

        node.ProposeMembership(Voters(5)).Should().BeTrue();
    }

    // The fault found in it in 2015 (raft-dev, "bug in single-server membership changes"): a leader that has committed nothing of its own term
    // may not know of another leader's change that was made at the same time.
    [Fact]
    public void A_leader_changes_nothing_before_it_has_committed_in_its_term()
    {
        var node = new TestNode(term: 1, entries: [Configuration(1, 1, Voters(3).With(Learner(C, 103)))], commit: 1);
        node.BecomeLeader();
        node.ProposeMembership(Voters(4)).Should().BeFalse();

        node.Hear(Accepted(C, 2, 2));
        node.ProposeMembership(Voters(4)).Should().BeFalse();
        node.Hear(Accepted(A, 2, 2));

        node.ProposeMembership(Voters(4)).Should().BeTrue();
    }

    // As for any proposal, §5.3; and thesis §3.10: "The prior leader stops accepting new client requests".
    [Fact]
    public void A_change_must_fit_term_and_index_and_waits_for_a_transfer()
    {
        var node = SettledLeader(3, Learner(C, 103));

        node.Raft.TryProposeMembership(new(1), new(4), Voters(4)).Should().BeFalse();
        node.Raft.TryProposeMembership(new(2), new(3), Voters(4)).Should().BeFalse();
        node.Raft.TransferLeadership(A);
        node.ProposeMembership(Voters(4)).Should().BeFalse();
        new TestNode().ProposeMembership(Voters(3)).Should().BeFalse("a follower has no say");
    }

    // Thesis §4.2.2: a leader hands over before it goes; it removes nobody's name from the voters that is its own.
    [Fact]
    public void A_leader_stays_a_voter_under_its_own_logs_identity()
    {
        var node = SettledLeader(3);

        node.ProposeMembership(Voters(3).Without(Me)).Should().BeFalse();
        node.ProposeMembership(Voters(3).With(Learner(Me, 100))).Should().BeFalse();
        node.ProposeMembership(Voters(3).With(Voter(Me, 1))).Should().BeFalse();
    }

    // Thesis §4.1: who has another log is another voter, so it goes and comes.
    [Fact]
    public void A_voter_gets_another_log_only_by_way_of_demotion()
    {
        var node = SettledLeader(3);
        node.ProposeMembership(Voters(3).With(Voter(A, 999))).Should().BeFalse();
        node.ProposeMembership(Voters(3).With(Voter(A, 0))).Should().BeFalse();

        node.Settle(Voters(3).With(Learner(A, 999)));

        node.ProposeMembership(Voters(3).With(Voter(A, 999))).Should().BeTrue();
    }

    // Thesis §4.2.1: a new voter was a learner before, and has told that it knows, or it would refuse its vote when it is needed.
    [Fact]
    public void Whoever_becomes_a_voter_has_said_that_it_may_vote()
    {
        var node = SettledLeader(3, Learner(C, 103));
        node.ProposeMembership(Voters(3).With(Voter(D, 104))).Should().BeFalse("D was no learner");
        node.Hear(Accepted(C, 1, 2, mayVote: false));
        node.ProposeMembership(Voters(4)).Should().BeFalse();

        node.Hear(Accepted(C, 1, 2));

        node.ProposeMembership(Voters(4)).Should().BeTrue();
    }

    // Thesis §4.1: who was not met yet keeps what it promised, unless it says that it knows nothing of that.
    [Fact]
    public void A_voter_is_met_once_and_only_if_it_may_vote()
    {
        var node = new TestNode();
        node.BecomeSettledLeader();
        node.Hear(Accepted(B, 1, 1, mayVote: false));
        node.ProposeMembership(Voters(3)).Should().BeFalse("B's log is new, and may have been lost");

        node.ProposeMembership(new([Voter(Me, 100), Voter(A, 101), Voter(B, 0)])).Should().BeTrue();
        node.ProposeMembership(new([Voter(Me, 0), Voter(A, 101), Voter(B, 0)])).Should().BeFalse();
        node.Hear(Accepted(A, 1, 2));
        node.Hear(Accepted(B, 1, 2));

        node.ProposeMembership(Voters(3)).Should().BeTrue();
    }

    // The same: what one log said of itself is not said of the next.
    [Fact]
    public void A_voter_is_recorded_only_with_the_log_that_said_that_it_may_vote()
    {
        var node = new TestNode();
        node.BecomeSettledLeader();

        node.ProposeMembership(new([Voter(Me, 100), Voter(A, 999), Voter(B, 0)])).Should().BeFalse();
        node.ProposeMembership(new([Voter(Me, 100), Learner(A, 999), Voter(B, 0)])).Should().BeTrue();
        node.Raft.FollowerProgress.Single(f => f.Id == A).MatchIndex.Should().Be(LogIndex.Zero);
    }

    // Thesis §4.2.1: "the new server joins the cluster as a non-voting member: the leader replicates log entries to it, but it is not yet
    // counted towards majorities".
    [Fact]
    public void A_learner_gets_everything_and_counts_for_nothing()
    {
        var node = SettledLeader(3);
        node.Settle(Voters(3).With(Learner(C, 103)).With(Learner(D, 104)));

        node.Propose();
        node.Drain().OfType<AppendEntries>().Where(m => m.Entries.Count > 0).Select(m => m.To).Should().Equal(A, B, C, D);
        node.Hear(Accepted(C, 1, 4));
        node.Hear(Accepted(D, 1, 4));
        node.Raft.CommitIndex.Should().Be(new LogIndex(3), "learners do not commit");

        node.Raft.RequestRead(1);
        var round = node.Drain().OfType<AppendEntries>().Max(m => m.ReadRound);
        node.Hear(Accepted(C, 1, 4, round));
        node.Hear(Accepted(D, 1, 4, round));
        node.Reads.Should().BeEmpty("learners do not confirm reads");

        for (var i = 0; i < 2; i++)
        {
            node.Tick(DefaultOptions.ElectionTimeoutTicksMin - 1).Where(m => m.To == C).Should().NotBeEmpty("they get heartbeats");
            node.Hear(Accepted(C, 1, 4));
            node.Hear(Accepted(D, 1, 4));
            node.Tick();
        }

        node.Raft.Role.Should().Be(Role.Follower, "learners do not make a majority");
    }

    // Thesis §4.2.1: commits are told to learners as to others; their reads go to the leader.
    [Fact]
    public void A_learner_hears_of_commits_and_may_ask_for_reads()
    {
        var node = SettledLeader(3);
        node.Settle(Voters(3).With(Learner(C, 103)));
        node.Propose();
        node.Drain();

        node.Hear(Accepted(A, 1, 4)).OfType<AppendEntries>().Where(m => m.LeaderCommit == new LogIndex(4)).Select(m => m.To).Should().Contain(C);
        var round = node.Hear(new ReadIndexRequest(C, Me, new(1), 5)).OfType<AppendEntries>().Max(m => m.ReadRound);
        node.Hear(Accepted(A, 1, 4, round)).OfType<ReadIndexResponse>().Should().Equal(new ReadIndexResponse(Me, C, new(1), 5, new(4)));
    }

    // Thesis §4.2.1: a non-voting member calls no elections, not even when it is asked to.
    [Fact]
    public void A_learner_does_not_campaign()
    {
        var node = new TestNode(term: 1, entries: [Configuration(1, 1, Voters(3).With(Learner(Me, MyLog)))], commit: 1);
        node.Hear(Append(A, 1, 1, 1, []));

        node.Tick(1000).Should().BeEmpty();
        node.Hear(Append(A, 1, 1, 1, []));
        node.Hear(new TimeoutNow(A, Me, new(1))).Should().BeEmpty();

        node.Raft.Role.Should().Be(Role.Follower);
        node.Raft.Term.Should().Be(new Term(1));
    }

    // Thesis §4.2.1: nor can it be made the leader, or vote; what it says about an election does not count.
    [Fact]
    public void A_learner_is_neither_asked_nor_counted_nor_made_leader()
    {
        var members = Voters(3).With(Learner(C, 103));
        var node = new TestNode(term: 1, entries: [Configuration(1, 1, members)], commit: 1);

        node.TimeOut().Select(m => m.To).Should().Equal(A, B);
        node.Hear(PreVoteAnswer(C, 2)).Should().BeEmpty();
        node.Hear(PreVoteAnswer(A, 2)).Select(m => m.To).Should().Equal(A, B);
        node.Hear(Vote(C, 2)).Should().BeEmpty();
        node.Raft.Role.Should().Be(Role.Candidate);
        node.Hear(Vote(A, 2));
        node.AllAccept();

        node.Raft.TransferLeadership(C).Should().BeFalse();
        node.Raft.TransferLeadership(A).Should().BeTrue();
    }

    // Thesis §4.2.1: one voter is a majority, and its learners get everything nevertheless.
    [Fact]
    public void A_single_voter_replicates_to_its_learners()
    {
        var node = new TestNode(voterCount: 1);
        node.TimeOut();
        node.Settle(Voters(1).With(Learner(A, 101)));

        node.Propose();

        node.Drain().OfType<AppendEntries>().Select(m => (m.To, m.LeaderCommit.Value)).Should().Equal((A, 2), (A, 3));
        node.Raft.CommitIndex.Should().Be(new LogIndex(3));
        node.Raft.RequestRead(4);
        node.Drain();
        node.Reads.Should().ContainSingle();
    }

    // Thesis §4.1: votes are given and taken from outside the receiver's configuration, whose log may lack the newest: "a server ... grants
    // its vote to a candidate that is not part of [its] configuration", and "accepts AppendEntries requests from a leader" likewise.
    [Fact]
    public void Strangers_are_heard()
    {
        var node = new TestNode(term: 1);
        node.Ask<RequestVoteResponse>(VoteRequest(_e, 2)).Granted.Should().BeTrue();
        node.Ask<AppendEntriesAccepted>(Append(_e, 2, 0, 0, Entries(1, 2))).MatchIndex.Should().Be(new LogIndex(1));
        node.Raft.Leader.Should().Be(_e);

        var joining = new TestNode(initial: Membership.Empty, isHeldBack: true);
        joining.Ask<AppendEntriesAccepted>(Append(A, 7, 0, 0, Entries(1, 7))).MatchIndex.Should().Be(new LogIndex(1));
    }

    // Thesis §4.2.3: those who do not belong to the cluster must not depose its leader; it has asked them nothing.
    [Fact]
    public void A_leader_ignores_answers_of_strangers()
    {
        var node = SettledLeader(3);

        node.Hear(new AppendEntriesRejected(_e, Me, new(9), LogOf(_e), new(1), new(0), new(0), 0, MayVote: true)).Should().BeEmpty();
        node.Hear(Accepted(_e, 1, 2)).Should().BeEmpty();
        node.Hear(Vote(_e, 9, granted: false)).Should().BeEmpty();

        node.Raft.Role.Should().Be(Role.Leader);
    }

    // Thesis §4.1: a new member is told at once, beginning where it may agree.
    [Fact]
    public void A_new_member_is_probed_at_once()
    {
        var node = SettledLeader(3);
        node.ProposeMembership(Voters(3).With(Learner(C, 103)));

        var probe = node.Drain().OfType<AppendEntries>().Single(m => m.To == C);

        (probe.PrevLogIndex.Value, probe.Entries.Count).Should().Be((2, 1));
        node.Hear(new AppendEntriesRejected(C, Me, new(1), LogOf(C), new(2), new(0), new(0), 0, MayVote: false))
            .OfType<AppendEntries>().Single().Entries.Should().HaveCount(3);
        node.Raft.FollowerProgress.Should().Contain(new FollowerState(C, IsVoter: false, LogOf(C), LogIndex.Zero, IsActive: true, MayVote: false));
    }

    // Thesis §4.1: majorities are those of the newest configuration in the log, for the entries before it too.
    [Fact]
    public void What_is_before_a_change_is_committed_under_it()
    {
        var node = SettledLeader(2);
        node.Propose();
        node.ProposeMembership(Voters(2).Without(A)).Should().BeTrue();
        node.Raft.CommitIndex.Should().Be(new LogIndex(2));

        node.Drain();

        node.Raft.CommitIndex.Should().Be(new LogIndex(4), "one of one has it");
    }

    // Thesis §4.1 with §6.4: reads wait for the majority that is one now.
    [Fact]
    public void Reads_that_wait_are_confirmed_by_the_majority_of_the_newest_configuration()
    {
        var node = SettledLeader(2);
        node.Raft.RequestRead(7);
        node.Drain();
        node.Reads.Should().BeEmpty();

        node.ProposeMembership(Voters(2).Without(A)).Should().BeTrue();
        node.Drain();

        node.Reads.Should().Equal(new ReadState(7, new(2)));
    }

    // Thesis §4.2.2 says that whoever was removed may still have to stand for election; instead it does not learn of it before the others cannot
    // need it any more.
    [Fact]
    public void Who_ceases_to_vote_is_told_when_that_is_committed()
    {
        var node = SettledLeader(4);
        node.ProposeMembership(Voters(4).Without(C)).Should().BeTrue();
        node.Drain().OfType<AppendEntries>().Select(m => m.To).Should().Equal(A, B);
        node.Hear(Accepted(C, 1, 2)).Should().BeEmpty();

        var told = node.Hear(Accepted(A, 1, 3)).OfType<AppendEntries>().Single(m => m.To == C);

        told.Entries.Should().ContainSingle().Which.Kind.Should().Be(EntryKind.Configuration);
        told.LeaderCommit.Should().Be(new LogIndex(3));
    }

    // Thesis §4.2.2, the same for one that stays as a learner, and under the next leader.
    [Fact]
    public void A_demoted_voter_is_told_when_that_is_committed()
    {
        var node = new TestNode(
            term: 1, entries: [Configuration(1, 1, Voters(4)), Configuration(2, 1, Voters(4).With(Learner(C, 103)))], commit: 1);

        node.BecomeLeader().OfType<AppendEntries>().Where(m => m.To == C).Should().BeEmpty();
        node.Hear(Accepted(C, 2, 1)).OfType<AppendEntries>().Should().OnlyContain(m => m.Entries.Count == 0);

        node.Hear(Accepted(A, 2, 3)).OfType<AppendEntries>().Single(m => m.To == C).Entries.Should().HaveCount(2);
    }

    // Thesis §4.2.2: the leader goes on sending to a removed node until it knows of its removal.
    [Fact]
    public void A_removed_node_gets_the_entry_by_which_it_was_removed()
    {
        var node = SettledLeader(3);
        node.ProposeMembership(Voters(3).Without(B)).Should().BeTrue();
        node.Drain();
        node.Raft.FollowerProgress.Select(f => f.Id).Should().Equal(A);
        node.Hear(Accepted(A, 1, 3)).OfType<AppendEntries>().Should().Contain(m => m.To == B && m.Entries.Count == 1);

        node.Tick(DefaultOptions.HeartbeatTicks).Select(m => m.To).Should().Equal(A, B);
        node.Hear(Accepted(B, 1, 3)).Should().BeEmpty();

        node.Tick(DefaultOptions.HeartbeatTicks).Select(m => m.To).Should().Equal(A);
    }

    // Thesis §4.2.2: but not for ever; it may be gone.
    [Fact]
    public void A_removed_node_that_does_not_answer_is_given_up()
    {
        var node = SettledLeader(3);
        node.ProposeMembership(Voters(3).Without(B));
        node.Drain();
        node.Hear(Accepted(A, 1, 3));

        for (var i = 0; i <= DefaultOptions.ElectionTimeoutTicksMax / DefaultOptions.HeartbeatTicks; i++)
        {
            node.Tick(DefaultOptions.HeartbeatTicks);
            node.Hear(Accepted(A, 1, 3));
        }

        node.Tick(DefaultOptions.HeartbeatTicks).Select(m => m.To).Should().Equal(A);
    }

    // Thesis §4.2.3: a node that knows that it was removed disturbs nobody.
    [Fact]
    public void A_removed_node_does_not_campaign()
    {
        var node = new TestNode(term: 1);
        node.Hear(Append(A, 1, 0, 0, [Configuration(1, 1, Voters(3)), Configuration(2, 1, Voters(3).Without(Me))], commit: 2));

        node.Tick(1000).Should().BeEmpty();

        node.Raft.MayVote.Should().BeFalse();
    }

    // Thesis §4.1: who comes back after it was removed is probed like any new member.
    [Fact]
    public void A_removed_node_can_come_back()
    {
        var node = SettledLeader(3);
        node.ProposeMembership(Voters(3).Without(B));
        node.Drain();
        node.Hear(Accepted(A, 1, 3));

        node.ProposeMembership(Voters(3).Without(B).With(Learner(B, 777))).Should().BeTrue();

        node.Raft.FollowerProgress.Single(f => f.Id == B).MatchIndex.Should().Be(LogIndex.Zero);
        node.Raft.Membership.Removed.Should().BeEmpty();
    }

    /// <summary>Leads term 1 in a cluster whose voters were all met; the configuration is entry 2.</summary>
    private static TestNode SettledLeader(int voters, params Member[] learners)
    {
        var node = new TestNode(voters);
        node.BecomeSettledLeader();
        node.Settle(learners.Aggregate(Voters(voters), (members, learner) => members.With(learner)));
        return node;
    }
}
