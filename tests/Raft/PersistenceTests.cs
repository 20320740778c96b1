using DistDb.Node.Raft;
using static DistDb.Tests.Raft.TestNode;

namespace DistDb.Tests.Raft;

/// <summary>Raft Figure 2: persistent state is "updated on stable storage before responding to RPCs".</summary>
public sealed class PersistenceTests
{
    // Raft Figure 2: the vote is handed out for writing together with the answer that depends on it, and the answer is not early.
    [Fact]
    public void A_vote_is_written_before_it_is_sent()
    {
        var node = new TestNode(term: 1);
        node.Raft.Step(VoteRequest(A, 2));

        var ready = node.Raft.TakeReady();

        ready.HardState.Should().Be(new HardState(new(2), A));
        ready.MustSync.Should().BeTrue();
        ready.EarlyMessages.Should().BeEmpty();
        ready.Messages.Should().Equal(new RequestVoteResponse(Me, A, new(2), MyLog, Granted: true));
    }

    // Raft Figure 2: a candidate's vote for itself is one too.
    [Fact]
    public void A_candidates_term_and_vote_are_written_before_it_asks()
    {
        var node = new TestNode();
        node.TimeOut();
        node.Raft.Step(PreVoteAnswer(A, 1));

        var ready = node.Raft.TakeReady();

        ready.HardState.Should().Be(new HardState(new(1), Me));
        ready.EarlyMessages.Should().BeEmpty();
        ready.Messages.Should().AllBeOfType<RequestVote>().And.HaveCount(2);
    }

    // The only voter leads by its own vote: until that is written, a crash would make it lead the same term again, with other entries for its learners.
    [Fact]
    public void The_entries_of_a_term_travel_only_when_the_term_is_written()
    {
        var node = new TestNode(term: 1, log: [1], initial: new([Voter(Me, MyLog), Learner(A, LogOf(A))]));
        for (var i = 0; i < DefaultOptions.ElectionTimeoutTicksMax; i++)
        {
            node.Raft.Tick();
        }

        node.Raft.Role.Should().Be(Role.Leader);
        var ready = node.Raft.TakeReady();
        ready.HardState.Should().Be(new HardState(new(2), Me));
        ready.EarlyMessages.Should().BeEmpty();
        ready.Messages.Should().NotBeEmpty().And.AllBeOfType<AppendEntries>();
    }

    // Raft §5.3: a follower's acceptance promises that the entries are on its disk.
    [Fact]
    public void Entries_are_written_before_they_are_accepted()
    {
        var node = new TestNode(term: 1);
        var entries = Entries(1, 1, 1);
        node.Raft.Step(Append(A, 1, 0, 0, entries));

        var ready = node.Raft.TakeReady();

        ready.HardState.Should().BeNull();
        ready.Entries.Should().Equal(entries);
        ready.MustSync.Should().BeTrue();
        ready.EarlyMessages.Should().BeEmpty();
        ready.Messages.Should().Equal(Accepted(A, 1, 2) with { From = Me, To = A, LogId = MyLog });
    }

    // Thesis §10.2.1: "the leader can write to its own disk in parallel with replicating to the followers".
    [Fact]
    public void A_leaders_entries_travel_before_its_own_write()
    {
        var node = new TestNode();
        node.BecomeSettledLeader();
        node.Propose();

        var ready = node.Raft.TakeReady();

        ready.Entries.Should().ContainSingle();
        ready.Messages.Should().BeEmpty();
        ready.EarlyMessages.Should().AllBeOfType<AppendEntries>().And.HaveCount(2);
    }

    // Thesis §10.2.1: "the leader may even commit an entry before it has been written to its own disk, if a majority of followers have";
    // but it does not count itself before.
    [Fact]
    public void A_leaders_own_copy_counts_only_once_it_is_on_disk()
    {
        var node = new TestNode(voterCount: 5);
        node.BecomeSettledLeader();
        node.Propose();
        node.Raft.Step(Accepted(A, 1, 2));
        node.Raft.Step(Accepted(B, 1, 2));
        node.Raft.CommitIndex.Should().Be(new LogIndex(1), "two followers are no majority of five");

        var ready = node.Raft.TakeReady();
        node.Disk.Write(ready.HardState, ready.Entries);
        node.Raft.Advance();

        node.Raft.CommitIndex.Should().Be(new LogIndex(2));
    }

    // Thesis §10.2.1, the first half of it.
    [Fact]
    public void A_majority_of_followers_commits_without_the_leaders_disk()
    {
        var node = new TestNode(voterCount: 5);
        node.BecomeSettledLeader();
        node.Propose();
        node.Raft.Step(Accepted(A, 1, 2));
        node.Raft.Step(Accepted(B, 1, 2));

        node.Raft.Step(Accepted(C, 1, 2));

        node.Raft.CommitIndex.Should().Be(new LogIndex(2));
    }

    // Raft Figure 2: what has not changed is not written again.
    [Fact]
    public void Nothing_is_written_twice()
    {
        var node = new TestNode(term: 1);
        node.Hear(Append(A, 1, 0, 0, Entries(1, 1)));

        node.Raft.Step(Append(A, 1, 0, 0, Entries(1, 1), commit: 1));
        var ready = node.Raft.TakeReady();

        ready.MustSync.Should().BeFalse();
        ready.CommitIndex.Should().Be(new LogIndex(1));
        node.Raft.Advance();
        node.Raft.HasReady.Should().BeFalse();
    }

    // The owner's contract: one Ready at a time, and nothing in between.
    [Fact]
    public void A_ready_is_carried_out_before_anything_else()
    {
        var node = new TestNode(term: 1);
        node.Raft.Step(VoteRequest(A, 2));
        node.Raft.TakeReady();

        node.Raft.HasReady.Should().BeFalse();
        node.Raft.Invoking(r => r.Tick()).Should().Throw<InvariantViolationException>();
        node.Raft.Invoking(r => r.Step(VoteRequest(A, 3))).Should().Throw<InvariantViolationException>();
        node.Raft.Invoking(r => r.TakeReady()).Should().Throw<InvariantViolationException>();
        node.Raft.Invoking(r => r.RequestRead(1)).Should().Throw<InvariantViolationException>();
        node.Raft.Invoking(r => r.TransferLeadership(A)).Should().Throw<InvariantViolationException>();
        node.Raft.Invoking(r => r.TryPropose(new(2), new(1), default)).Should().Throw<InvariantViolationException>();
        node.Raft.Advance();
        node.Raft.Invoking(r => r.Advance()).Should().Throw<InvariantViolationException>();
    }

    // Raft Figure 2: a disk that did not take what it was given must not be believed.
    [Fact]
    public void A_disk_that_lacks_what_was_written_is_noticed()
    {
        var node = new TestNode(term: 1);
        node.Raft.Step(Append(A, 1, 0, 0, Entries(1, 1)));
        node.Raft.TakeReady();

        node.Raft.Invoking(r => r.Advance()).Should().Throw<InvariantViolationException>();
    }

    // Raft Figure 2: what was applied durably cannot be beyond the log.
    [Fact]
    public void A_start_beyond_the_log_is_refused()
    {
        var start = () => new TestNode(log: [1], commit: 2);

        start.Should().Throw<InvariantViolationException>();
    }

    // Raft Figure 2: commitIndex is volatile, but a durable index of the owner's need not be learned again.
    [Fact]
    public void A_restart_goes_on_from_what_was_applied()
    {
        var node = new TestNode(term: 1, log: [1, 1], commit: 1);

        node.Raft.CommitIndex.Should().Be(new LogIndex(1));
        node.Raft.HasReady.Should().BeFalse();
        node.Hear(Append(A, 1, 2, 1, [], commit: 2));
        node.Raft.CommitIndex.Should().Be(new LogIndex(2));
    }
}
