using DistDb.Node.Commands;
using DistDb.Node.Raft;
using DistDb.Node.Replication;
using static DistDb.Tests.Replication.LeadershipWindowTests;

namespace DistDb.Tests.Replication;

/// <summary>What a read may and may not see.</summary>
public sealed class ReadTests
{
    private static readonly Statement _all = TestCluster.Sql("SELECT token FROM w");

    [Fact]
    public async Task A_client_reads_its_own_writes_at_its_node()
    {
        await using var cluster = await TestCluster.StartAsync();
        for (var i = 0; i < 30; i++)
        {
            Done(await cluster.InsertAsync(i % 3, $"x{i:00}"));
            (await cluster.TokensAsync(i % 3)).Should().Contain($"x{i:00}");
        }

        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_read_waits_for_the_index_it_names()
    {
        await using var cluster = await TestCluster.StartAsync();
        cluster.Network.Drop(m => m.To == 2 && HasEntries(m));
        var index = Done(await cluster.InsertAsync(0, "x")).Index;
        var read = cluster.TokensAsync(2, minIndex: index.Value);
        (await cluster.TokensAsync(2)).Should().BeEmpty();
        read.IsCompleted.Should().BeFalse();
        cluster.Network.Heal();
        (await read).Should().Equal("x");
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_read_of_an_index_that_does_not_come_times_out()
    {
        await using var cluster = await TestCluster.StartAsync(
            node => TestCluster.Options with { RequestTimeout = TimeSpan.FromMilliseconds(node == 2 ? 200 : 60_000) });
        var result = await cluster[2].QueryAsync("main", _all, false, new(1_000_000), default);
        result.Should().BeOfType<QueryResult.NotDone>().Which.Failure.Code.Should().Be(FailureCode.Timeout);
    }

    [Fact]
    public async Task A_strong_read_sees_what_was_done_elsewhere()
    {
        await using var cluster = await TestCluster.StartAsync();
        var lag = cluster.Network.Hold(m => m.To == 2 && m.Raft is AppendEntries);
        Done(await cluster.InsertAsync(1, "x"));
        var read = cluster.TokensAsync(2, isStrong: true);
        await cluster.UntilAsync(() => cluster.Network.Delivered.Any(m => m.To == 2 && m.Raft is ReadIndexResponse), "the read's index is known");
        read.IsCompleted.Should().BeFalse();
        lag.Release();
        (await read).Should().Equal("x");
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_leader_that_was_cut_off_does_not_answer_a_strong_read()
    {
        await using var cluster = await TestCluster.StartAsync(
            node => TestCluster.Options with { RequestTimeout = TimeSpan.FromSeconds(node == 0 ? 1 : 60) });
        cluster.Network.CutOff(0);
        await cluster.ElectAsync(1);
        Done(await cluster.InsertAsync(1, "x"));
        var result = await cluster[0].QueryAsync("main", _all, true, default, default);
        result.Should().BeOfType<QueryResult.NotDone>().Which.Failure.Code.Should().Be(FailureCode.NoQuorum);
        (await cluster.TokensAsync(0)).Should().BeEmpty("a local read shows what the node has");
        cluster.Network.Heal();
        await cluster.SettleAsync();
        (await cluster.TokensAsync(0, isStrong: true)).Should().Equal("x");
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_strong_read_under_way_is_finished_by_the_next_leader()
    {
        await using var cluster = await TestCluster.StartAsync();
        cluster.Network.CutOff(0);
        var read = cluster.TokensAsync(0, isStrong: true);
        await cluster.ElectAsync(1);
        Done(await cluster.InsertAsync(1, "x"));
        read.IsCompleted.Should().BeFalse();
        cluster.Network.Heal();
        (await read).Should().Equal("x");
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task An_answer_to_the_process_before_does_not_confirm_a_read_of_this_one()
    {
        await using var cluster = await TestCluster.StartAsync();
        var late = cluster.Network.Hold(m => m.To == 2 && m.Raft is ReadIndexResponse);
        _ = cluster[2].QueryAsync("main", _all, true, default, default);
        await cluster.UntilAsync(() => late.Count > 0, "the answer is under way");
        await cluster.CrashAsync(2);
        await cluster.StartAsync(2);
        await cluster.SettleAsync();
        cluster.Network.Drop(m => m.To == 2 && HasEntries(m));
        cluster.Network.Drop(m => m.From == 2 && m.Raft is ReadIndexRequest);
        Done(await cluster.InsertAsync(0, "x"));
        var asked = cluster.Network.Sent.Count(m => m.Raft is ReadIndexRequest);
        var read = cluster.TokensAsync(2, isStrong: true);
        await cluster.UntilAsync(() => cluster.Network.Sent.Count(m => m.Raft is ReadIndexRequest) > asked, "the new process has asked");
        late.Release();
        await cluster.UntilAsync(() => cluster.Network.Delivered.Any(m => m.To == 2 && m.Raft is ReadIndexResponse), "the late answer has arrived");
        cluster.Network.Heal();
        (await read).Should().Equal("x");
        await cluster.CheckAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Many_strong_reads_share_rounds(int node)
    {
        await using var cluster = await TestCluster.StartAsync();
        var reads = Enumerable.Range(0, 300).Select(_ => cluster.TokensAsync(node, isStrong: true)).ToArray();
        await Task.WhenAll(reads);
        var rounds = cluster.Network.Sent.Max(m => m.Raft is AppendEntries { ReadRound: var round } ? round : 0);
        rounds.Should().BeInRange(1, 150);
        await cluster.CheckAsync();
    }
}
