using DistDb.Node.Commands;
using DistDb.Node.Replication;
using DistDb.Node.Transport;

namespace DistDb.Tests.Replication;

public sealed class LeaderQueueTests
{
    private long _sequence;

    [Fact]
    public void Batches_hold_the_oldest_writes_within_their_limits()
    {
        var queue = new LeaderQueue(new() { BatchWritesMax = 3, BatchBytesMax = 10_000 });
        foreach (var bytes in (int[])[1, 1, 1, 1, 20_000, 6_000, 6_000])
        {
            queue.Enqueue(Write(bytes)).Should().BeNull();
        }

        Take(queue).Should().Equal(1, 2, 3);
        Take(queue).Should().Equal([4], "the next would exceed the bytes");
        Take(queue).Should().Equal([5], "one write always fits");
        Take(queue).Should().Equal(6);
        Take(queue).Should().Equal(7);
        queue.IsEmpty.Should().BeTrue();
        Take(queue).Should().BeEmpty();
    }

    [Fact]
    public void Writes_that_are_put_back_come_first_and_in_their_order()
    {
        var queue = new LeaderQueue(new() { BatchWritesMax = 3 });
        for (var i = 0; i < 5; i++)
        {
            queue.Enqueue(Write(1));
        }

        var taken = queue.TakeBatch(out _);
        queue.PutBack(taken.Skip(1));
        Take(queue).Should().Equal(2, 3, 4);
    }

    [Fact]
    public void A_full_queue_refuses_and_says_the_same_to_late_copies()
    {
        var queue = new LeaderQueue(new() { PendingWritesMax = 2 });
        for (var i = 0; i < 4; i++)
        {
            queue.Enqueue(Write(1)).Should().BeNull();
        }

        var refused = Write(1);
        queue.Enqueue(refused)!.Code.Should().Be(FailureCode.Overloaded);
        queue.TakeBatch(out _).Should().HaveCount(4);
        queue.Enqueue(refused)!.Code.Should().Be(FailureCode.Overloaded);
        queue.Enqueue(Write(1)).Should().BeNull();
    }

    [Fact]
    public void Bytes_are_limited_and_given_back()
    {
        var queue = new LeaderQueue(new() { PendingBytesMax = 10_000 });
        queue.Enqueue(Write(50_000)).Should().BeNull("one write always fits");
        queue.Enqueue(Write(1))!.Code.Should().Be(FailureCode.Overloaded);
        var taken = queue.TakeBatch(out _);
        queue.Enqueue(Write(15_000)).Should().BeNull();
        queue.PutBack(taken);
        queue.Enqueue(Write(1))!.Code.Should().Be(FailureCode.Overloaded);
        queue.Clear().Should().HaveCount(2);
        queue.Enqueue(Write(15_000)).Should().BeNull();
    }

    [Fact]
    public void The_end_of_leadership_forgets_who_sent_what()
    {
        var queue = new LeaderQueue(new());
        var write = Write(1);
        queue.Enqueue(write);
        queue.Clear().Select(w => w.Command.Id.Sequence).Should().Equal(1);
        queue.IsEmpty.Should().BeTrue();
        queue.Enqueue(write).Should().BeNull();
        queue.IsEmpty.Should().BeFalse();
    }

    [Fact]
    public void Transactions_and_writes_have_their_turns_in_the_order_in_which_they_came()
    {
        var queue = new LeaderQueue(new());
        var first = Transaction("main");
        var second = Transaction("main");
        queue.Enqueue(Write(1));
        queue.AddTurn(first);
        queue.Enqueue(Write(1));
        queue.AddTurn(second);
        queue.Enqueue(Write(1));
        queue.Enqueue(Write(1, "other"));
        queue.TakeBatch(out var begun).Select(w => w.Command.Id.Sequence).Should().Equal([1], "its turn comes when what was before it is done");
        begun.Should().BeEmpty();
        queue.TakeBatch(out begun).Select(w => w.Command.Id.Sequence).Should().Equal([4], "other databases do not wait");
        begun.Should().Equal(first);
        queue.IsEmpty.Should().BeTrue();
        queue.HasAside.Should().BeTrue();
        var commit = Write(1);
        queue.Enqueue(commit with { Command = commit.Command with { Interactive = new(first.Id) } });
        queue.TakeBatch(out begun).Select(w => w.Command.Id.Sequence).Should().Equal([5], "the commit is its own");
        queue.EndTurn(first);
        queue.TakeBatch(out begun).Select(w => w.Command.Id.Sequence).Should().Equal([2], "it came before the second");
        begun.Should().BeEmpty();
        queue.TakeBatch(out begun).Should().BeEmpty();
        begun.Should().Equal(second);
        queue.EndTurn(second);
        Take(queue).Should().Equal(3);
        queue.Size.Should().Be((0, 0L));
    }

    [Fact]
    public void A_write_whose_time_is_up_does_not_wait_for_a_turn_to_end()
    {
        var queue = new LeaderQueue(new());
        queue.AddTurn(Transaction("main"));
        queue.Enqueue(Write(1) with { RemainingMs = 0 });
        queue.TakeBatch(out _).Should().BeEmpty();
        queue.HasExpiredAside.Should().BeTrue();
        Take(queue).Should().Equal(1);
        queue.HasAside.Should().BeFalse();
    }

    private static IEnumerable<long> Take(LeaderQueue queue) => queue.TakeBatch(out _).Select(w => w.Command.Id.Sequence);

    private static HostedTransaction Transaction(string database) => new(Guid.NewGuid(), new(1), new(database, TokenRole.Write, null, null, false, null));

    private ForwardedWrite Write(int bytes, string database = "main") => new(
        new(1),
        1,
        10_000,
        0,
        new() { Id = new(1, 7, ++_sequence), Database = database, Statements = [TestCluster.Sql(new string(' ', bytes))] });
}
