using DistDb.Node.Raft;
using static DistDb.Tests.Raft.TestNode;

namespace DistDb.Tests.Raft;

/// <summary>ReadIndex, thesis §6.4.</summary>
public sealed class ReadTests
{
    // Thesis §6.4, step 1: "If the leader has not yet marked an entry from its current term committed, it waits until it has done so."
    [Fact]
    public void A_new_leader_reads_only_after_committing_in_its_own_term()
    {
        var node = new TestNode(term: 1, log: [1], commit: 1);
        node.BecomeLeader();
        node.Raft.RequestRead(7).Should().BeTrue();
        node.Drain().Should().BeEmpty("it does not know yet what it would have to confirm");
        node.Hear(Accepted(A, 2, 1, round: 1));
        node.Reads.Should().BeEmpty();

        var round = node.Hear(Accepted(A, 2, 2)).OfType<AppendEntries>().Max(m => m.ReadRound);
        node.Reads.Should().BeEmpty("the majority has still to confirm the leader");
        node.Hear(Accepted(A, 2, 2, round));

        node.Reads.Should().Equal(new ReadState(7, new(2)));
    }

    // Thesis §6.4, steps 2 and 3: the leader notes its commit index and "issues a new round of heartbeats and waits for their
    // acknowledgments from a majority of the cluster".
    [Fact]
    public void A_read_is_confirmed_by_a_majority()
    {
        var node = new TestNode(voterCount: 5);
        node.BecomeSettledLeader();
        node.Raft.RequestRead(7);
        var round = Round(node.Drain());

        node.Hear(Accepted(A, 1, 1, round));
        node.Hear(Accepted(A, 1, 1, round));
        node.Reads.Should().BeEmpty("one follower counts once");
        node.Hear(Accepted(B, 1, 1, round));

        node.Reads.Should().Equal(new ReadState(7, new(1)));
    }

    // Thesis §6.4: heartbeats that were sent before the read prove nothing about it.
    [Fact]
    public void Older_rounds_confirm_nothing()
    {
        var node = new TestNode();
        node.BecomeSettledLeader();
        node.Raft.RequestRead(1);
        var first = Round(node.Drain());
        node.Raft.RequestRead(2);
        var second = Round(node.Drain());

        node.Hear(Accepted(A, 1, 1, first));
        node.Reads.Select(r => r.Context).Should().Equal(1);
        node.Hear(Accepted(B, 1, 1, first));
        node.Reads.Should().ContainSingle();
        node.Hear(Accepted(B, 1, 1, second));

        node.Reads.Select(r => r.Context).Should().Equal(1, 2);
    }

    // Thesis §6.4: "a single round of heartbeats can confirm any number of reads that came before it".
    [Fact]
    public void One_round_confirms_all_reads_before_it()
    {
        var node = new TestNode();
        node.BecomeSettledLeader();
        node.Raft.RequestRead(1);
        node.Raft.RequestRead(2);
        node.Raft.RequestRead(3);
        var last = Round(node.Drain());

        node.Hear(Accepted(A, 1, 1, last));

        node.Reads.Select(r => r.Context).Should().Equal(1, 2, 3);
    }

    // Thesis §6.4: the index is that of the asking, not of the confirming; a refusal of entries confirms the leader as well.
    [Fact]
    public void A_read_is_as_old_as_its_asking()
    {
        var node = new TestNode();
        node.BecomeSettledLeader();
        node.Raft.RequestRead(1);
        var round = Round(node.Drain());
        node.Propose();
        node.Drain();
        node.Hear(Accepted(A, 1, 2));
        node.Raft.CommitIndex.Should().Be(new LogIndex(2));

        node.Hear(new AppendEntriesRejected(B, Me, new(1), LogOf(B), new(2), new(1), new(1), round, MayVote: true));

        node.Reads.Should().Equal(new ReadState(1, new(1)));
    }

    // Thesis §6.4: a leader that was deposed confirms nothing any more, not even when it leads again.
    [Fact]
    public void A_deposed_leader_forgets_its_reads()
    {
        var node = new TestNode();
        node.BecomeSettledLeader();
        node.Raft.RequestRead(1);
        var round = Round(node.Drain());
        node.Hear(Append(A, 2, 1, 1, []));

        node.Hear(Accepted(B, 1, 1, round));
        node.BecomeSettledLeader();
        var newer = Round(node.Tick(DefaultOptions.HeartbeatTicks));
        node.Hear(Accepted(A, node.Raft.Term.Value, node.Raft.LastIndex.Value, newer));

        node.Reads.Should().BeEmpty();
    }

    // Thesis §6.4: "followers can ask the leader for a current readIndex" and then read their own state.
    [Fact]
    public void A_follower_asks_its_leader()
    {
        var node = new TestNode(term: 1);
        node.Raft.RequestRead(5).Should().BeFalse("there is nobody to ask");
        node.Hear(Append(A, 1, 0, 0, []));

        node.Raft.RequestRead(5).Should().BeTrue();
        node.Drain().Should().Equal(new ReadIndexRequest(Me, A, new(1), 5));
        node.Hear(new ReadIndexResponse(A, Me, new(1), 5, new(3)));

        node.Reads.Should().Equal(new ReadState(5, new(3)));
    }

    // Thesis §6.4: the leader's side of it.
    [Fact]
    public void A_leader_answers_a_follower_after_its_round()
    {
        var node = new TestNode();
        node.BecomeSettledLeader();
        var round = Round(node.Hear(new ReadIndexRequest(B, Me, new(1), 5)));

        node.Hear(Accepted(A, 1, 1, round)).Should().Equal(new ReadIndexResponse(Me, B, new(1), 5, new(1)));

        node.Reads.Should().BeEmpty();
    }

    // Thesis §6.4: a node that does not lead has nothing to say about reads.
    [Fact]
    public void A_follower_answers_no_reads_of_others()
    {
        var node = new TestNode(term: 1);

        node.Hear(new ReadIndexRequest(B, Me, new(1), 5)).Should().BeEmpty();
    }

    // Thesis §6.4: what a follower gives back is the round that it was asked in.
    [Fact]
    public void A_follower_gives_the_round_back()
    {
        var node = new TestNode(term: 1);

        node.Ask<AppendEntriesAccepted>(Append(A, 1, 0, 0, [], round: 9)).ReadRound.Should().Be(9);
        node.Ask<AppendEntriesRejected>(Append(A, 1, 5, 1, [], round: 10)).ReadRound.Should().Be(10);
    }

    private static long Round(List<Message> sent) => sent.OfType<AppendEntries>().Max(m => m.ReadRound);
}
