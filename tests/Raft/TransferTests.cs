using DistDb.Node.Raft;
using static DistDb.Tests.Raft.TestNode;

namespace DistDb.Tests.Raft;

/// <summary>Leadership transfer, thesis §3.10.</summary>
public sealed class TransferTests
{
    // Thesis §3.10: "the prior leader ... sends a TimeoutNow request to the target server" once its log is complete.
    [Fact]
    public void A_target_that_has_everything_is_told_at_once()
    {
        var node = new TestNode();
        node.BecomeSettledLeader();

        node.Raft.TransferLeadership(B).Should().BeTrue();

        node.Drain().Should().Equal(new TimeoutNow(Me, B, new(1)));
    }

    // Thesis §3.10: "the prior leader fully updates the target server's log to match its own log".
    [Fact]
    public void A_target_that_lags_is_brought_up_to_date_first()
    {
        var node = new TestNode();
        node.BecomeSettledLeader();
        node.Propose();
        node.Drain();

        node.Raft.TransferLeadership(A).Should().BeTrue();
        node.Drain().Should().BeEmpty();
        node.Hear(Accepted(B, 1, 2)).OfType<TimeoutNow>().Should().BeEmpty();

        node.Hear(Accepted(A, 1, 2)).OfType<TimeoutNow>().Should().Equal(new TimeoutNow(Me, A, new(1)));
    }

    // Thesis §3.10: "The prior leader stops accepting new client requests."
    [Fact]
    public void Proposals_are_refused_meanwhile()
    {
        var node = new TestNode();
        node.BecomeSettledLeader();
        node.Raft.TransferLeadership(A);

        node.Propose().Should().BeFalse();
    }

    // Thesis §3.10: "If leadership transfer does not complete after about an election timeout, the prior leader aborts the transfer", for
    // instance because TimeoutNow was lost.
    [Fact]
    public void A_transfer_that_leads_nowhere_is_given_up()
    {
        var node = new TestNode();
        node.BecomeSettledLeader();
        node.Tick(DefaultOptions.ElectionTimeoutTicksMin / 2);
        node.AllAccept();
        node.Raft.TransferLeadership(A);

        node.Tick(DefaultOptions.ElectionTimeoutTicksMin - 1);
        node.Propose().Should().BeFalse();
        node.Tick();

        node.Raft.Role.Should().Be(Role.Leader);
        node.Propose().Should().BeTrue();
    }

    // Thesis §3.10: only a leader can hand over, and only to another voter.
    [Fact]
    public void A_transfer_needs_a_leader_and_another_voter()
    {
        var node = new TestNode();
        node.Raft.TransferLeadership(A).Should().BeFalse();
        node.BecomeLeader();

        node.Raft.TransferLeadership(Me).Should().BeFalse();
        node.Raft.TransferLeadership(new(9)).Should().BeFalse();
        node.Propose().Should().BeTrue();
    }

    // Thesis §3.10: the target "starts a new election" as if its timer had run out; without a pre-vote, which the leader's followers would refuse.
    [Fact]
    public void The_target_calls_an_election_at_once()
    {
        var node = new TestNode(term: 1, log: [1]);
        node.Hear(Append(A, 1, 1, 1, []));

        node.Hear(new TimeoutNow(A, Me, new(1))).Should().Equal(
            new RequestVote(Me, A, new(2), new(1), new(1), IsTransfer: true), new RequestVote(Me, B, new(2), new(1), new(1), IsTransfer: true));
    }

    // Thesis §3.10 with §4.2.3: voters that hear the leader vote nevertheless, since the leader itself asked for it; and so does the leader.
    [Fact]
    public void Voters_need_not_wait_for_the_leaders_silence()
    {
        var follower = new TestNode(term: 1);
        follower.Hear(Append(A, 1, 0, 0, []));
        follower.Ask<RequestVoteResponse>(VoteRequest(B, 2, isTransfer: true)).Granted.Should().BeTrue();

        var leader = new TestNode();
        leader.BecomeSettledLeader();
        leader.Raft.TransferLeadership(A);
        leader.Drain();
        leader.Ask<RequestVoteResponse>(VoteRequest(A, 2, last: 1, lastTerm: 1, isTransfer: true)).Granted.Should().BeTrue();
        leader.Raft.Role.Should().Be(Role.Follower);
    }

    // Raft §5.4.1: even a transfer elects nobody whose log lacks something.
    [Fact]
    public void A_transfer_obeys_the_election_restriction()
    {
        var node = new TestNode();
        node.BecomeSettledLeader();

        node.Ask<RequestVoteResponse>(VoteRequest(A, 2, isTransfer: true)).Granted.Should().BeFalse();
    }
}
