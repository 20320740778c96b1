using DistDb.Node.Commands;
using DistDb.Node.Raft;
using DistDb.Node.Replication;
using DistDb.Node.Transport;

namespace DistDb.Tests.Replication;

/// <summary>The origin's part of applying a write once: to whom a copy goes, and when another may.</summary>
public sealed class PendingWritesTests
{
    private const ulong Incarnation = 99;
    private static readonly Failure _refusal = new(FailureCode.Constraint, "no");

    private readonly List<(NodeId Leader, ForwardedWrite Write)> _copies = [];
    private readonly PendingWrites _pending;
    private Action _whileAnswering = () => { };

    public PendingWritesTests() => _pending = Create(new() { ResendInterval = TimeSpan.Zero });

    [Fact]
    public void A_copy_is_addressed_to_the_leader_of_one_term()
    {
        var write = Submit();
        _copies.Should().BeEmpty("no leader is known");
        Lead(1, term: 3);
        _copies.Should().ContainSingle();
        _copies[0].Leader.Should().Be(new NodeId(1));
        _copies[0].Write.Term.Should().Be(new Term(3));
        _copies[0].Write.Command.Id.Should().Be(new WriteId(0, Incarnation, 1));
        write.IsCompleted.Should().BeFalse();
    }

    [Fact]
    public void The_same_term_gets_copies_of_the_same_id_again()
    {
        Lead(1, term: 3);
        Submit();
        _pending.Sweep();
        _copies.Should().HaveCount(2);
        _copies.Select(c => (c.Leader, c.Write.Term, c.Write.Command.Id)).Distinct().Should().ContainSingle();
    }

    [Fact]
    public void Another_term_gets_a_copy_only_once_an_entry_of_a_later_one_than_the_last_copys_was_applied()
    {
        Lead(1, term: 3);
        Submit();
        _copies.Clear();
        Lead(2, term: 4);
        _pending.Sweep();
        _pending.AppliedTerm(new(3));
        _pending.Sweep();
        _copies.Should().BeEmpty("an entry of term 3 may still be committed");
        _pending.AppliedTerm(new(4));
        _copies.Should().ContainSingle().Which.Write.Term.Should().Be(new Term(4));
    }

    [Fact]
    public void A_term_between_may_be_skipped()
    {
        Lead(1, term: 3);
        Submit();
        Lead(2, term: 4);
        Lead(1, term: 6);
        _copies.Clear();
        _pending.AppliedTerm(new(5));
        _copies.Should().ContainSingle().Which.Write.Term.Should().Be(new Term(6));
    }

    [Fact]
    public void A_write_that_this_leader_dropped_unlogged_may_go_to_the_next_at_once()
    {
        Lead(0, term: 3);
        Submit();
        _copies.Clear();
        _pending.Dropped(new(0, Incarnation, 1), new(2));
        Lead(1, term: 4);
        _copies.Should().BeEmpty("another term's word says nothing about the last copy");
        _pending.Dropped(new(0, Incarnation, 1), new(3));
        _pending.Sweep();
        _copies.Should().ContainSingle().Which.Write.Term.Should().Be(new Term(4));
    }

    [Fact]
    public async Task A_verdict_counts_for_the_term_of_the_last_copy_alone()
    {
        Lead(1, term: 3);
        var write = Submit();
        _pending.AppliedTerm(new(4));
        Lead(2, term: 4);
        _pending.Refused(new(0, Incarnation, 1), new(3), _refusal);
        _pending.Remembered(new(0, Incarnation, 1), new(3), new(7), []);
        write.IsCompleted.Should().BeFalse();
        _pending.Refused(new(0, Incarnation, 1), new(4), _refusal);
        (await write).Should().Be(new WriteResult.NotDone(_refusal));
        _pending.Count.Should().Be(0);
    }

    [Fact]
    public void A_verdict_on_a_write_of_an_earlier_process_is_none()
    {
        Lead(1, term: 3);
        var write = Submit();
        _pending.Refused(new(0, Incarnation - 1, 1), new(3), _refusal);
        _pending.Remembered(new(0, Incarnation - 1, 1), new(3), new(7), []);
        _pending.Dropped(new(0, Incarnation - 1, 1), new(3));
        write.IsCompleted.Should().BeFalse();
        _pending.IsAwaited(new(0, Incarnation - 1, 1)).Should().BeFalse();
        _pending.IsAwaited(new(1, Incarnation, 1)).Should().BeFalse();
        _pending.IsAwaited(new(0, Incarnation, 1)).Should().BeTrue();
    }

    [Fact]
    public async Task Applied_ends_the_wait_whatever_was_sent()
    {
        Lead(1, term: 3);
        var write = Submit();
        _pending.Applied(new(0, Incarnation, 1), new(7), []);
        (await write).Should().BeOfType<WriteResult.Done>().Which.Index.Should().Be(new LogIndex(7));
        _copies.Clear();
        _pending.Sweep();
        _copies.Should().BeEmpty();
        _pending.Refused(new(0, Incarnation, 1), new(3), _refusal);
    }

    [Fact]
    public void Copies_say_which_writes_need_no_more_answers()
    {
        Lead(1, term: 3);
        for (var i = 0; i < 4; i++)
        {
            Submit();
        }

        Applied(1);
        Applied(3);
        Submit();
        _copies[^1].Write.OldestPending.Should().Be(2);
        Applied(2);
        Applied(4);
        Applied(5);
        Submit();
        _copies[^1].Write.OldestPending.Should().Be(6);
    }

    [Fact]
    public async Task Past_its_limit_a_write_that_was_never_sent_is_not_done_and_one_that_was_is_unknown()
    {
        var neverSent = Submit(TimeSpan.Zero);
        _pending.Sweep();
        (await neverSent).Should().BeOfType<WriteResult.NotDone>().Which.Failure.Code.Should().Be(FailureCode.NoQuorum);

        Lead(1, term: 3);
        var settled = Submit(TimeSpan.Zero);
        var sent = Submit(TimeSpan.Zero, key: "the key");
        _pending.Dropped(new(0, Incarnation, 2), new(3));
        NobodyLeads(term: 4);
        _pending.Sweep();
        (await settled).Should().BeOfType<WriteResult.NotDone>().Which.Failure.Code.Should().Be(FailureCode.NoQuorum);
        sent.IsCompleted.Should().BeFalse("the leader's word may be on its way");
        while (!sent.IsCompleted)
        {
            _pending.Sweep();
            await Task.Yield();
        }

        var failure = (await sent).Should().BeOfType<WriteResult.NotDone>().Subject.Failure;
        failure.Code.Should().Be(FailureCode.OutcomeUnknown);
        failure.Detail.Should().Contain("the key");
    }

    [Fact]
    public async Task Too_many_writes_or_bytes_are_refused_until_some_are_answered()
    {
        var pending = Create(new() { PendingWritesMax = 2, PendingBytesMax = 10_000 });
        _ = Submit(pending, 20_000);
        (await Submit(pending, 1)).Should().BeOfType<WriteResult.NotDone>().Which.Failure.Code.Should().Be(FailureCode.Overloaded);
        pending.Applied(new(0, Incarnation, 1), new(7), []);
        _ = Submit(pending, 1);
        _ = Submit(pending, 1);
        (await Submit(pending, 1)).Should().BeOfType<WriteResult.NotDone>().Which.Failure.Code.Should().Be(FailureCode.Overloaded);
        pending.Count.Should().Be(2);
    }

    [Fact]
    public void Large_writes_go_to_the_leader_a_few_at_a_time_and_in_their_order()
    {
        var pending = Create(new() { ForwardedBytesMax = 10_000, ResendInterval = TimeSpan.Zero });
        for (var i = 0; i < 3; i++)
        {
            _ = Submit(pending, 20_000);
        }

        _ = Submit(pending, 1);
        pending.LeadershipChanged(new(new(3), new(1), Role.Follower, default, false));
        Sent().Should().Equal([1], "one always fits");
        _ = Submit(pending, 1);
        pending.Sweep();
        Sent().Should().Equal([1, 1], "only what is with the leader is repeated, and small ones do not overtake");
        pending.Refused(new(0, Incarnation, 1), new(3), _refusal);
        Sent().Should().Equal(1, 1, 2);
        pending.Dropped(new(0, Incarnation, 2), new(3));
        pending.Applied(new(0, Incarnation, 2), new(7), []);
        Sent().Should().Equal(1, 1, 2, 3);
        pending.LeadershipChanged(new(new(4), new(2), Role.Follower, default, false));
        pending.AppliedTerm(new(4));
        Sent().Should().Equal([1, 1, 2, 3, 4, 5, 4, 5], "3 may be in the log of term 3, so that the others go first; and now it waits for room");
        pending.Applied(new(0, Incarnation, 4), new(8), []);
        pending.Applied(new(0, Incarnation, 5), new(8), []);
        Sent().Skip(8).Should().Equal(3);

        IEnumerable<long> Sent() => _copies.Select(c => c.Write.Command.Id.Sequence);
    }

    [Fact]
    public async Task A_write_that_never_got_its_turn_is_told_of_the_load()
    {
        var pending = Create(new() { ForwardedBytesMax = 10_000 });
        pending.LeadershipChanged(new(new(3), new(1), Role.Follower, default, false));
        _ = Submit(pending, 20_000);
        var late = pending.SubmitAsync(new() { Statements = [TestCluster.Sql("x")] }, Deadline.After(TimeSpan.Zero));
        pending.Sweep();
        (await late).Should().BeOfType<WriteResult.NotDone>().Which.Failure.Code.Should().Be(FailureCode.Overloaded);
        _copies.Should().ContainSingle();
    }

    [Fact]
    public async Task A_stop_answers_everybody_who_waits_or_comes_later()
    {
        var neverSent = Submit();
        Lead(1, term: 3);
        NobodyLeads(term: 4);
        var alsoNeverSent = Submit();
        _pending.Stop();
        (await neverSent).Should().BeOfType<WriteResult.NotDone>().Which.Failure.Code.Should().Be(FailureCode.OutcomeUnknown);
        (await alsoNeverSent).Should().BeOfType<WriteResult.NotDone>().Which.Failure.Code.Should().Be(FailureCode.NoQuorum);
        _copies.Clear();
        Lead(1, term: 5);
        var later = Submit();
        later.IsCompleted.Should().BeTrue("nobody would answer it any more");
        (await later).Should().BeOfType<WriteResult.NotDone>().Which.Failure.Code.Should().Be(FailureCode.NoQuorum);
        _copies.Should().BeEmpty();
        _pending.Count.Should().Be(0);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_is_answered_as_not_done_is_not_sent_afterwards(bool stops)
    {
        _whileAnswering = () => Lead(1, term: 4);
        var write = Submit(TimeSpan.Zero);
        if (stops)
        {
            _pending.Stop();
        }
        else
        {
            _pending.Sweep();
        }

        (await write).Should().BeOfType<WriteResult.NotDone>().Which.Failure.Code.Should().Be(FailureCode.NoQuorum);
        _copies.Should().BeEmpty();
    }

    private PendingWrites Create(ReplicationOptions options) => new(new(0), Incarnation, options)
    {
        Forward = (leader, write) => _copies.Add((leader, write)),
        DescribeQuorum = () =>
        {
            _whileAnswering();
            return "nobody is there.";
        },
    };

    private static Task<WriteResult> Submit(PendingWrites pending, int bytes) => pending.SubmitAsync(
        new() { Statements = [TestCluster.Sql(new string(' ', bytes))] }, Deadline.After(TimeSpan.FromMinutes(1)));

    private Task<WriteResult> Submit(TimeSpan? limit = null, string? key = null) =>
        _pending.SubmitAsync(new() { Statements = [TestCluster.Sql("x")], IdempotencyKey = key }, Deadline.After(limit ?? TimeSpan.FromMinutes(1)));

    private void Applied(long sequence) => _pending.Applied(new(0, Incarnation, sequence), new(7), []);

    private void Lead(int node, long term) => _pending.LeadershipChanged(
        new(new(term), new(node), node == 0 ? Role.Leader : Role.Follower, default, false));

    private void NobodyLeads(long term) => _pending.LeadershipChanged(new(new(term), null, Role.Follower, default, false));
}
