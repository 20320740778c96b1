using DistDb.Node.Commands;
using DistDb.Node.Raft;
using DistDb.Node.Replication;
using static DistDb.Tests.Replication.LeadershipWindowTests;

namespace DistDb.Tests.Replication;

/// <summary>Nodes that stop, start and cannot reach each other, and what clients are told meanwhile.</summary>
public sealed class AvailabilityTests
{
    /// <summary>Elections of their own, and a time limit that a test can wait for.</summary>
    private static ReplicationOptions Short => TestCluster.Options with
    {
        Raft = new(),
        RequestTimeout = TimeSpan.FromSeconds(2),
    };

    [Fact]
    public async Task The_first_leader_gives_all_one_cluster_id()
    {
        await using var cluster = await TestCluster.StartAsync(size: 5);
        Enumerable.Range(0, 5).Select(n => cluster[n].ClusterId).Distinct().Should().ContainSingle().Which.Should().NotBe(Guid.Empty);
        await cluster.ElectAsync(3);
        Done(await cluster.InsertAsync(4, "x"));
        await cluster.CheckAsync();
        Enumerable.Range(0, 5).Select(n => cluster[n].ClusterId).Distinct().Should().ContainSingle();
    }

    [Fact]
    public async Task Only_the_masters_clients_change_the_schema_whoever_leads()
    {
        await using var cluster = await TestCluster.StartAsync();
        foreach (var leader in (int[])[0, 1])
        {
            await cluster.ElectAsync(leader);
            Failed(await cluster[1].WriteAsync("main", [TestCluster.Sql($"CREATE TABLE no{leader}(a)")], false, null, default))
                .Code.Should().Be(FailureCode.NotMaster);
            (await cluster[0].WriteAsync("main", [TestCluster.Sql($"CREATE TABLE yes{leader}(a)")], false, null, default))
                .Should().BeOfType<WriteResult.Done>();
        }

        await cluster.CheckAsync();
        (await cluster.UserTablesAsync(2)).Should().Equal("w", "yes0", "yes1");
    }

    [Fact]
    public async Task Without_a_majority_a_write_that_was_never_sent_is_known_not_to_be_done()
    {
        await using var cluster = await TestCluster.StartAsync(_ => Short);
        cluster.Network.CutOff(0, 1, 2);
        await cluster.UntilAsync(() => Enumerable.Range(0, 3).All(n => cluster[n].Leader is null), "nobody leads");
        var writes = Enumerable.Range(0, 3).Select(n => cluster.InsertAsync(n, $"x{n}")).ToArray();
        foreach (var write in writes)
        {
            var failure = Failed(await write);
            failure.Code.Should().Be(FailureCode.NoQuorum);
            failure.Detail.Should().Contain("cannot reach");
        }

        await cluster.CheckAsync();
    }

    [Fact]
    public async Task Without_a_majority_a_write_that_may_be_in_the_log_has_an_unknown_outcome()
    {
        await using var cluster = await TestCluster.StartAsync(_ => Short);
        await cluster.UntilAsync(() => Leader(cluster) is not null, "somebody leads");
        var leader = Leader(cluster)!.Value;
        var before = cluster[leader].LastLogIndex;
        cluster.Network.Drop(m => m.From == leader && HasEntries(m));
        var write = cluster.InsertAsync(leader, "x");
        await cluster.UntilAsync(() => cluster[leader].LastLogIndex > before || write.IsCompleted, "the entry is in the leader's log");
        cluster.Network.CutOff(0, 1, 2);
        Failed(await write).Code.Should().Be(FailureCode.OutcomeUnknown);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_leader_that_dies_is_replaced_and_nobody_is_refused()
    {
        await using var cluster = await TestCluster.StartAsync(_ => Short with { RequestTimeout = TimeSpan.FromSeconds(60) });
        await cluster.UntilAsync(() => Leader(cluster) is not null, "somebody leads");
        var leader = Leader(cluster)!.Value;
        var writes = Enumerable.Range(0, 60).Select(i => cluster.InsertAsync(i % 3, $"x{i}")).ToArray();
        await cluster.CrashAsync(leader);
        for (var i = 0; i < 60; i++)
        {
            var result = await writes[i];
            if (i % 3 != leader)
            {
                Done(result);
            }
        }

        await cluster.StartAsync(leader);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_node_takes_no_more_than_its_limit()
    {
        await using var cluster = await TestCluster.StartAsync(_ => TestCluster.Options with { PendingWritesMax = 10 });
        cluster.Network.CutOff(0);
        var writes = Enumerable.Range(0, 30).Select(i => cluster.InsertAsync(0, $"x{i}")).ToArray();
        foreach (var refused in writes[10..])
        {
            Failed(await refused).Code.Should().Be(FailureCode.Overloaded);
        }

        cluster.Network.Heal();
        foreach (var taken in writes[..10])
        {
            Done(await taken);
        }

        await cluster.CheckAsync();
    }

    [Fact]
    public async Task After_a_power_loss_everywhere_the_log_gives_back_what_the_databases_had()
    {
        await using var cluster = await TestCluster.StartAsync();
        Done(await cluster.InsertAsync(0, "first"));
        await cluster.SettleAsync();
        cluster.SaveDatabase(0);
        Done(await cluster.WriteAsync(1, "chance", "INSERT INTO w(token, k) VALUES (?, random() + unixepoch('now'))"));
        await cluster.SettleAsync();
        cluster.SaveDatabase(1);
        await cluster.ElectAsync(2);
        for (var i = 0; i < 30; i++)
        {
            Done(await cluster.InsertAsync(i % 3, $"x{i}", id: $"key{i}"));
        }

        await cluster.SettleAsync();
        cluster.SaveDatabase(2);
        foreach (var node in (int[])[0, 1, 2])
        {
            await cluster.CrashAsync(node);
            cluster.LoseUnsynced(node);
        }

        foreach (var node in (int[])[0, 1, 2])
        {
            await cluster.StartAsync(node);
        }

        await cluster.ElectAsync(0);
        Done(await cluster.InsertAsync(1, "x7", id: "key7"));
        Done(await cluster.InsertAsync(1, "last"));
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_node_that_was_away_catches_up()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.CrashAsync(1);
        for (var i = 0; i < 40; i++)
        {
            Done(await cluster.InsertAsync(2 * (i % 2), $"x{i}"));
        }

        await cluster.StartAsync(1);
        await cluster.SettleAsync();
        (await cluster.TokensAsync(1)).Should().HaveCount(40);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task Leadership_is_handed_to_a_node_that_can_be_reached()
    {
        await using var cluster = await TestCluster.StartAsync(_ => TestCluster.Options with { HandOverPatience = TimeSpan.FromSeconds(60) });
        await cluster.CrashAsync(1);
        await cluster[0].DrainAsync();
        await cluster.UntilAsync(() => cluster[2].Role == Role.Leader, "the reachable node leads");
        Done(await cluster.InsertAsync(0, "x"));
        await cluster.StartAsync(1);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_node_that_has_stopped_answers_writes_at_once()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster[0].StopAsync(CancellationToken.None);
        Failed(await cluster[0].WriteAsync("main", [TestCluster.Sql("DELETE FROM w")], false, null, default).WaitAsync(TimeSpan.FromSeconds(30)))
            .Code.Should().Be(FailureCode.NoQuorum);
    }

    private static int? Leader(TestCluster cluster) =>
        Enumerable.Range(0, cluster.Size).Select(n => (int?)n).FirstOrDefault(n => cluster[n!.Value].Role == Role.Leader);
}
