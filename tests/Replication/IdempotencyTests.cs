using DistDb.Node.Commands;
using DistDb.Node.Transport;
using static DistDb.Tests.Replication.LeadershipWindowTests;

namespace DistDb.Tests.Replication;

/// <summary>A client that sends a write again under the same key gets the first outcome, wherever and whenever it asks.</summary>
public sealed class IdempotencyTests
{
    [Fact]
    public async Task A_repeated_key_answers_the_first_outcome_at_every_node()
    {
        await using var cluster = await TestCluster.StartAsync();
        var first = Done(await cluster.InsertAsync(1, "x", id: "key"));
        for (var node = 0; node < 3; node++)
        {
            var again = Done(await cluster.InsertAsync(node, "x", id: "key"));
            again.Index.Should().Be(first.Index);
            again.Results.Should().Equal(first.Results);
        }

        await cluster.CheckAsync();
    }

    [Fact]
    public async Task Copies_in_one_batch_are_done_once()
    {
        await using var cluster = await TestCluster.StartAsync();
        var gate = await BatchTests.Gate.CloseAsync(cluster);
        var copies = Enumerable.Range(0, 6).Select(i => cluster.InsertAsync(i % 3, "x", id: "key")).ToArray();
        await gate.ForwardedAsync(4);
        await gate.PassOneAsync();
        await cluster.UntilAsync(() => cluster[0].LastLogIndex == gate.Before + 2, "the batch is in the leader's log");
        copies.Should().NotContain(c => c.IsCompleted);
        gate.Open();
        foreach (var copy in copies)
        {
            Done(await copy).Index.Should().Be(gate.Before + 2);
        }

        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_client_whose_node_died_finds_its_write_done_once_at_another()
    {
        await using var cluster = await TestCluster.StartAsync();
        var before = cluster[0].LastLogIndex;
        cluster.Network.Drop(m => m.To == 0 && Accepts(m, before));
        _ = cluster.InsertAsync(0, "x", id: "key");
        await cluster.UntilAsync(() => cluster[1].LastLogIndex > before, "a follower has the entry");
        await cluster.CrashAsync(0);
        await cluster.ElectAsync(1);
        Done(await cluster.InsertAsync(2, "x", id: "key")).Index.Should().Be(before.Next);
        await cluster.StartAsync(0);
        Done(await cluster.InsertAsync(0, "x", id: "key")).Index.Should().Be(before.Next);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_key_used_for_another_write_is_refused()
    {
        await using var cluster = await TestCluster.StartAsync();
        Done(await cluster.InsertAsync(1, "x", id: "key"));
        Failed(await cluster.InsertAsync(2, "y", id: "key")).Code.Should().Be(FailureCode.IdReused);
        await cluster.ElectAsync(2);
        Failed(await cluster.InsertAsync(0, "z", id: "key")).Code.Should().Be(FailureCode.IdReused);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_node_that_lags_answers_when_its_readers_see_the_first_write()
    {
        await using var cluster = await TestCluster.StartAsync();
        cluster.Network.Drop(m => m.To == 2 && HasEntries(m));
        var first = Done(await cluster.InsertAsync(0, "x", id: "key"));
        var again = cluster.InsertAsync(2, "x", id: "key");
        await cluster.UntilAsync(
            () => cluster.Network.Delivered.Any(m => m.To == 2 && m.Message is WriteRemembered), "the leader's answer has arrived");
        again.IsCompleted.Should().BeFalse();
        (await cluster.TokensAsync(2)).Should().BeEmpty();
        cluster.Network.Heal();
        Done(await again).Index.Should().Be(first.Index);
        (await cluster.TokensAsync(2)).Should().Equal("x");
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_node_that_lags_too_long_does_not_say_that_nothing_was_done()
    {
        await using var cluster = await TestCluster.StartAsync(
            node => TestCluster.Options with { RequestTimeout = TimeSpan.FromSeconds(node == 2 ? 1 : 60) });
        cluster.Network.Drop(m => m.To == 2 && HasEntries(m));
        Done(await cluster.InsertAsync(0, "x", id: "key"));
        Failed(await cluster[2].WriteAsync("main",
            [TestCluster.Sql("INSERT INTO w(token, k) VALUES (?, ?)", SqlValue.From("x"), SqlValue.Null)], false, "key", default))
            .Code.Should().Be(FailureCode.OutcomeUnknown);
        await cluster.CheckAsync();
    }
}
