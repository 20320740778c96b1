using DistDb.Node.Commands;
using DistDb.Node.Replication;
using DistDb.Node.Transport;
using static DistDb.Tests.Replication.LeadershipWindowTests;

namespace DistDb.Tests.Replication;

/// <summary>The way from the node that took a write to the leader and back, with messages lost, repeated and late.</summary>
public sealed class ForwardingTests
{
    [Fact]
    public async Task A_lost_write_is_sent_again()
    {
        await using var cluster = await TestCluster.StartAsync();
        var loss = cluster.Network.Drop(m => m.Message is ForwardedWrite);
        var write = cluster.InsertAsync(1, "x");
        await cluster.UntilAsync(() => loss.Count >= 2, "the write was lost twice");
        loss.Remove();
        Done(await write);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task Repeated_messages_of_all_kinds_do_nothing_twice()
    {
        await using var cluster = await TestCluster.StartAsync();
        cluster.Network.Duplicate(_ => true);
        var writes = Enumerable.Range(0, 60).Select(i => cluster.InsertAsync(i % 3, $"x{i}", k: i % 50)).ToArray();
        var results = await Task.WhenAll(writes);
        results.Count(r => r is WriteResult.Done).Should().Be(50);
        results.OfType<WriteResult.NotDone>().Should().HaveCount(10).And.OnlyContain(r => r.Failure.Code == FailureCode.Constraint);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_copy_for_an_earlier_term_comes_too_late_for_every_leader()
    {
        await using var cluster = await TestCluster.StartAsync();
        var late = cluster.Network.Hold(m => m.Message is ForwardedWrite && m.To == 0);
        var write = cluster.InsertAsync(2, "x");
        await cluster.UntilAsync(() => late.Count > 0, "the first copy is under way");
        await cluster.ElectAsync(1);
        Done(await write);
        late.Release();
        Done(await cluster.InsertAsync(2, "y"));
        await cluster.ElectAsync(0);
        late.Release();
        Done(await cluster.InsertAsync(2, "z"));
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_copy_that_comes_after_its_write_was_applied_in_the_same_term_is_ignored()
    {
        await using var cluster = await TestCluster.StartAsync();
        var copies = cluster.Network.Duplicate(m => m.Message is ForwardedWrite);
        Done(await cluster.InsertAsync(1, "x"));
        copies.Release();
        Done(await cluster.InsertAsync(1, "y"));
        copies.Release();
        Done(await cluster.InsertAsync(1, "z"));
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_lost_verdict_is_given_again_without_executing_again()
    {
        await using var cluster = await TestCluster.StartAsync();
        Done(await cluster.InsertAsync(0, "first", k: 1));
        var loss = cluster.Network.Drop(m => m.Message is WriteRefused);
        var write = cluster.InsertAsync(1, "second", k: 1);
        await cluster.UntilAsync(() => loss.Count > 0, "the verdict was lost");

        // Were it executed again, it would succeed now.
        await cluster[0].WriteAsync("main", [TestCluster.Sql("UPDATE w SET k = NULL")], false, null, default);
        loss.Remove();
        Failed(await write).Code.Should().Be(FailureCode.Constraint);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_verdict_that_comes_twice_ends_one_write_only()
    {
        await using var cluster = await TestCluster.StartAsync();
        Done(await cluster.InsertAsync(0, "first", k: 1));
        var verdicts = cluster.Network.Duplicate(m => m.Message is WriteRefused);
        Failed(await cluster.InsertAsync(1, "second", k: 1)).Code.Should().Be(FailureCode.Constraint);
        verdicts.Release();
        Done(await cluster.InsertAsync(1, "third", k: 2));
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_verdict_on_a_write_of_the_process_before_is_not_taken_for_one_of_this()
    {
        await using var cluster = await TestCluster.StartAsync();
        Done(await cluster.InsertAsync(0, "first", k: 1));
        var verdict = cluster.Network.Hold(m => m.Message is WriteRefused);
        _ = cluster.InsertAsync(1, "second", k: 1);
        await cluster.UntilAsync(() => verdict.Count > 0, "the verdict is under way");
        await cluster.CrashAsync(1);
        await cluster.StartAsync(1);
        await cluster.SettleAsync();

        // The new process counts its writes from 1 as well, and the leader's term is the same.
        var forwarded = cluster.Network.Hold(m => m.Message is ForwardedWrite);
        var write = cluster.InsertAsync(1, "third", k: 3);
        verdict.Release();
        forwarded.Release();
        Done(await write);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_write_reaches_a_new_leader_as_soon_as_it_is_known()
    {
        await using var cluster = await TestCluster.StartAsync(_ => TestCluster.Options with { ResendInterval = TimeSpan.FromHours(1) });
        for (var round = 1; round <= 6; round++)
        {
            await cluster.ElectAsync(round % 3);
            Done(await cluster.InsertAsync((round + 1) % 3, $"x{round}"));
        }

        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_node_cannot_send_a_write_in_another_nodes_name()
    {
        await using var cluster = await TestCluster.StartAsync();
        var command = new WriteCommand
        {
            Id = new(0, 1, 1),
            Database = "main",
            Statements = [TestCluster.Sql("CREATE TABLE stolen(a)")],
        };
        cluster.Network.Inject(new(1, 0, new ForwardedWrite(cluster[0].Term, 1, 10_000, 0, command)));
        Done(await cluster.InsertAsync(1, "x"));
        (await cluster.UserTablesAsync(0)).Should().Equal("w");
        await cluster.CheckAsync();
    }
}
