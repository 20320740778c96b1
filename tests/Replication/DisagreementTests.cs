using DistDb.Node.Commands;
using DistDb.Node.Raft;
using DistDb.Node.Replication;
using DistDb.Node.Transport;

namespace DistDb.Tests.Replication;

/// <summary>Entries that do something else on a follower than at their leader: the majority decides which of the two is bad.</summary>
public sealed class DisagreementTests
{
    private const string Bump = "UPDATE w SET k = k + 100 WHERE token = 'x1'";

    [Fact]
    public async Task A_leader_that_recorded_what_nobody_else_observes_is_the_one_that_is_healed()
    {
        await using var cluster = await StartWithRowsAsync();
        await RestartTamperedAsync(cluster, 0, "DELETE FROM w WHERE token = 'x1'");
        (await WriteAsync(cluster, 1, Bump)).Should().BeOfType<WriteResult.Done>().Which.Results.Single().RowsAffected.Should().Be(1);
        await WaitUntilHealedAsync(cluster, 0);
        await cluster.UntilAsync(() => cluster[1].IsReady && cluster[2].IsReady, "the others serve again");
        Untouched(cluster, 1, 2);
        await cluster.UntilAsync(() => cluster[1].Verification is not null, "that they verify each other by themselves");
        await InsertAsync(cluster, "after", 3);
        (await RowsAsync(cluster, 0, "SELECT k FROM w WHERE token = 'x1'")).Should().Equal("101");
        await cluster.CheckAsync();
        (await VerifyAsync(cluster, 2)).Outcome.Should().Be(VerificationOutcome.Equal);
    }

    [Theory]
    [InlineData("INSERT INTO w VALUES ('y', 1)")]
    [InlineData("INSERT OR ROLLBACK INTO w VALUES ('y', 1)")]
    public async Task A_write_that_only_a_bad_leader_could_do_is_left_out_by_all(string sql)
    {
        await using var cluster = await StartWithRowsAsync();
        await RestartTamperedAsync(cluster, 0, "DELETE FROM w WHERE token = 'x1'");
        var good = cluster.InsertAsync(2, "good");
        (await WriteAsync(cluster, 1, sql)).Should().BeOfType<WriteResult.NotDone>().Which.Failure.Code.Should().Be(FailureCode.Constraint);
        (await good).Should().BeOfType<WriteResult.Done>();
        await WaitUntilHealedAsync(cluster, 0);
        Untouched(cluster, 1, 2);
        (await cluster.TokensAsync(0)).Should().Equal("good", "x0", "x1", "x2");
        await InsertAsync(cluster, "after", 3);
        await cluster.CheckAsync();
        (await VerifyAsync(cluster, 2)).Outcome.Should().Be(VerificationOutcome.Equal);
    }

    [Fact]
    public async Task What_a_bad_leader_recorded_after_it_is_decided_as_well()
    {
        await using var cluster = await StartWithRowsAsync();
        await RestartTamperedAsync(cluster, 0, "DELETE FROM w WHERE token = 'x1'");
        using (cluster.Network.Drop(letter => letter.Message is ReplayOpinion))
        {
            for (var i = 0; i < 3; i++)
            {
                (await WriteAsync(cluster, 0, Bump)).Should().BeOfType<WriteResult.Done>().Which.Results.Single().RowsAffected.Should().Be(0);
            }

            await cluster.UntilAsync(() => cluster[1].Repair is not null && cluster[2].Repair is not null, "both differ");
        }

        await WaitUntilHealedAsync(cluster, 0);
        await cluster.UntilAsync(() => cluster[1].IsReady && cluster[2].IsReady, "the others serve again");
        Untouched(cluster, 1, 2);
        (await RowsAsync(cluster, 0, "SELECT k FROM w WHERE token = 'x1'")).Should().Equal("301");
        await InsertAsync(cluster, "after", 3);
        await cluster.CheckAsync();
        (await VerifyAsync(cluster, 1)).Outcome.Should().Be(VerificationOutcome.Equal);
    }

    [Fact]
    public async Task A_follower_that_observes_what_nobody_else_does_is_the_one_that_is_healed()
    {
        await using var cluster = await StartWithRowsAsync();
        await RestartTamperedAsync(cluster, 2, "DELETE FROM w WHERE token = 'x1'");
        (await WriteAsync(cluster, 1, Bump)).Should().BeOfType<WriteResult.Done>();
        await WaitUntilHealedAsync(cluster, 2);
        Untouched(cluster, 0, 1);
        cluster[0].Role.Should().Be(Role.Leader);
        cluster.Messages.Should().NotContain(m => m.Contains("not decided"));
        await InsertAsync(cluster, "after", 3);
        await cluster.CheckAsync();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_a_majority_nothing_is_touched_until_the_missing_node_is_back_and_decides(bool isLeaderBad)
    {
        await using var cluster = await StartWithRowsAsync(TimeSpan.FromSeconds(3));
        await cluster.CrashAsync(1);
        await RestartTamperedAsync(cluster, isLeaderBad ? 0 : 2, "DELETE FROM w WHERE token = 'x1'");
        (await WriteAsync(cluster, 0, Bump)).Should().BeOfType<WriteResult.Done>();
        await cluster.UntilAsync(
            () => cluster.Messages.Count(m => m.Contains("It is not decided what entry") && m.Contains("node 1 has not said")) >= 2,
            "both say that they are undecided");
        var repair = cluster[2].Repair!;
        repair.Reason.Should().Contain("is not what the leader has");
        repair.Step.Should().Contain("2 of 3 voters").And.Contain("Nothing was touched").And.Contain("node 1 has not said").And.Contain("--rebuild");
        repair.QuarantineFolder.Should().BeNull();
        (await cluster[2].QueryAsync("main", TestCluster.Sql("SELECT 1"), false, default, default)).Should().BeOfType<QueryResult.NotDone>()
            .Which.Failure.Should().BeEquivalentTo(new { Code = FailureCode.Repairing }).And.Subject.As<Failure>().Detail.Should().Contain("not decided who is right");
        var strong = (await cluster[0].QueryAsync("main", TestCluster.Sql("SELECT 1"), true, default, default)).Should().BeOfType<QueryResult.NotDone>().Subject.Failure;
        strong.Code.Should().Be(FailureCode.NoQuorum);
        strong.Detail.Should().Contain("a majority sides with this node");
        (await cluster[0].QueryAsync("main", TestCluster.Sql("SELECT 1"), false, default, default)).Should().BeOfType<QueryResult.Done>();
        (await cluster.InsertAsync(0, "early")).Should().BeOfType<WriteResult.NotDone>().Which.Failure.Detail.Should().Contain("takes no writes");
        Untouched(cluster, 0, 1, 2);

        await cluster.StartAsync(1);
        await WaitUntilHealedAsync(cluster, isLeaderBad ? 0 : 2);
        Untouched(cluster, [1, isLeaderBad ? 2 : 0]);
        (await RowsAsync(cluster, isLeaderBad ? 0 : 2, "SELECT k FROM w WHERE token = 'x1'")).Should().Equal("101");
        await InsertAsync(cluster, "after", 3);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_node_that_is_stopped_while_it_differs_raises_no_doubt_any_more_and_differs_again_after_its_start()
    {
        await using var cluster = await StartWithRowsAsync();
        await cluster.CrashAsync(1);
        await RestartTamperedAsync(cluster, 2, "DELETE FROM w WHERE token = 'x1'");
        (await WriteAsync(cluster, 0, Bump)).Should().BeOfType<WriteResult.Done>();
        await cluster.UntilAsync(() => cluster[2].Repair is not null, "node 2 differs");
        await cluster.CrashAsync(2);
        using (cluster.Network.Drop(letter => letter.Message is ReplayOpinion))
        {
            await cluster.StartAsync(1);
            (await cluster.TokensAsync(0, isStrong: true)).Should().HaveCount(3);
            await cluster.StartAsync(2);
            await cluster.UntilAsync(() => cluster[2].Repair is { QuarantineFolder: null }, "node 2 differs again");
        }

        await WaitUntilHealedAsync(cluster, 2);
        Untouched(cluster, 0, 1);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task Three_of_five_overrule_and_the_other_two_are_healed_also_one_that_was_away()
    {
        await using var cluster = await StartWithRowsAsync(size: 5);
        await RestartTamperedAsync(cluster, 1, "DELETE FROM w WHERE token = 'x1'");
        await RestartTamperedAsync(cluster, 0, "DELETE FROM w WHERE token = 'x1'");
        await cluster.CrashAsync(4);
        (await WriteAsync(cluster, 0, Bump)).Should().BeOfType<WriteResult.Done>();
        await cluster.UntilAsync(() => cluster[2].Repair is not null && cluster[3].Repair is not null, "two differ, two do not");
        await cluster.UntilAsync(() => cluster.Messages.Any(m => m.Contains("It is not decided")), "that does not decide it");
        await cluster.StartAsync(4);
        await WaitUntilHealedAsync(cluster, 0);
        await WaitUntilHealedAsync(cluster, 1);
        Untouched(cluster, 2, 3, 4);
        await cluster.UntilAsync(() => Enumerable.Range(0, 5).All(n => cluster[n].IsReady), "all serve");
        await InsertAsync(cluster, "after", 3);
        await cluster.CheckAsync();
        (await VerifyAsync(cluster, 4)).Outcome.Should().Be(VerificationOutcome.Equal);
    }

    [Fact]
    public async Task A_node_that_is_alone_stops()
    {
        await using var cluster = await TestCluster.StartAsync(_ => TestCluster.Options with { Raft = new() }, size: 1);
        cluster.SaveDatabase(0);
        await InsertRowsAsync(cluster);
        (await WriteAsync(cluster, 0, Bump)).Should().BeOfType<WriteResult.Done>();
        await cluster.CrashAsync(0);
        cluster.LoseUnsynced(0);
        cluster.Tamper(0, "INSERT INTO w VALUES ('x1', 77)");
        await cluster.StartAsync(0);
        (await cluster.FailureAsync(0)).Should().Contain("is not what the leader has").And.Contain("backup");
        cluster.QuarantineFiles(0).Should().BeEmpty();
        await cluster.CrashAsync(0);
    }

    /// <summary>Node 0 leads, and all have rows x0, x1 and x2 with k = 0, 1 and 2.</summary>
    private static async Task<TestCluster> StartWithRowsAsync(TimeSpan? requestTimeout = null, int size = 3)
    {
        var cluster = await TestCluster.StartAsync(
            _ => TestCluster.Options with { RequestTimeout = requestTimeout ?? TestCluster.Options.RequestTimeout }, size);
        await InsertRowsAsync(cluster);
        await cluster.SettleAsync();
        return cluster;
    }

    private static async Task InsertRowsAsync(TestCluster cluster)
    {
        for (var i = 0; i < 3; i++)
        {
            (await cluster.InsertAsync(0, $"x{i}", k: i)).Should().BeOfType<WriteResult.Done>();
        }
    }

    /// <summary>A node's content is changed past it; it goes on with what it was.</summary>
    private static async Task RestartTamperedAsync(TestCluster cluster, int node, string change)
    {
        await cluster.CrashAsync(node);
        cluster.Tamper(node, change);
        await cluster.StartAsync(node);
        await cluster.ElectAsync(0);
        await cluster.SettleAsync();
    }

    private static void Untouched(TestCluster cluster, params int[] nodes)
    {
        foreach (var node in nodes)
        {
            cluster.QuarantineFiles(node).Should().BeEmpty($"node {node} keeps its content");
        }
    }

    private static async Task<WriteResult> WriteAsync(TestCluster cluster, int node, string sql) =>
        await cluster[node].WriteAsync("main", [TestCluster.Sql(sql)], false, null, default);

    private static async Task InsertAsync(TestCluster cluster, string prefix, int count)
    {
        for (var i = 0; i < count; i++)
        {
            (await cluster.InsertAsync(i % cluster.Size, $"{prefix}{i}")).Should().BeOfType<WriteResult.Done>();
        }
    }

    private static async Task<IEnumerable<string>> RowsAsync(TestCluster cluster, int node, string sql) =>
        (await cluster[node].QueryAsync("main", TestCluster.Sql(sql), true, default, default)).Should().BeOfType<QueryResult.Done>()
            .Subject.Rows.Rows.Select(row => row[0].ToString());

    private static async Task<VerificationResult> VerifyAsync(TestCluster cluster, int node) =>
        (await cluster[node].VerifyAsync(false, default).WaitAsync(TimeSpan.FromSeconds(60))).Should().BeOfType<VerifyAnswer.Done>().Subject.Result;

    private static Task WaitUntilHealedAsync(TestCluster cluster, int node) => cluster.UntilAsync(
        () => cluster.QuarantineFiles(node).Length > 0
            && cluster[node].Repair is null
            && cluster[node].Verification is { } v && v.Nodes.Single(n => n.Node == new NodeId(node)).Health == NodeHealth.Healthy,
        $"node {node} is healed and verified");
}
