using System.Globalization;
using DistDb.Tests.Support;

namespace DistDb.Tests.Cluster;

/// <summary>The majority is lost, for a while or for good.</summary>
public sealed class RecoveryTests
{
    [Fact]
    public async Task Without_a_majority_reads_go_on_and_writes_say_who_is_missing()
    {
        await using var cluster = await TestCluster.StartAsync(2, "--timeout", "2s");
        (await cluster.Master.ExecAsync("CREATE TABLE t (a)")).Status.Should().Be(200);
        await cluster.ConvergeAsync();
        cluster[0].Kill();
        cluster[1].Kill();
        var write = await cluster[2].ExecAsync("INSERT INTO t VALUES (1)");
        write.Code.Should().BeOneOf("no_quorum", "outcome_unknown");
        await cluster.WaitUntilAsync("the leader is given up", async () => (await cluster[2].ExecAsync("INSERT INTO t VALUES (1)")).Code == "no_quorum");
        (await cluster[2].ExecAsync("INSERT INTO t VALUES (1)")).Detail.Should().Contain("node 0 and node 1");
        (await cluster[2].QueryAsync("SELECT count(*) FROM t")).Rows.Should().Be("[[0]]");
    }

    [Fact]
    public async Task A_survivor_becomes_a_cluster_of_its_own_and_the_others_join_it()
    {
        await using var cluster = await TestCluster.StartAsync();
        (await cluster.Master.ExecAsync("CREATE TABLE t (a)")).Status.Should().Be(200);
        (await cluster.Master.ExecAsync("INSERT INTO t VALUES ('kept')")).Status.Should().Be(200);
        await cluster.ConvergeAsync();
        foreach (var node in cluster.Nodes)
        {
            node.Kill();
        }

        // Without --force, without a confirmation, and while the node runs, nothing happens.
        var (code, output, _) = await RecoverAsync(cluster, 2);
        code.Should().Be(2);
        output.Should().Contain("given up    node 0").And.Contain("What the others acknowledged");
        (code, output, _) = await RecoverAsync(cluster, 2, "--force");
        code.Should().Be(1, "nobody typed the confirmation");
        cluster[2].Start();
        await cluster.WaitUntilAsync("it runs", async () => await cluster[2].StatusAsync() is not null);
        (code, _, var error) = await RecoverAsync(cluster, 2, "--force", "--yes");
        code.Should().Be(1);
        error.Should().Contain("in use by another distdb process");
        cluster[2].Kill();

        (code, output, error) = await RecoverAsync(cluster, 2, "--force", "--yes");
        code.Should().Be(0, output + error);
        await cluster.RestartAsync(cluster[2]);
        (await cluster[2].ExecAsync("INSERT INTO t VALUES ('new')")).Status.Should().Be(200);
        (await cluster[2].ExecAsync("CREATE TABLE u (a)")).Status.Should().Be(200, "it is the master");

        // The old cluster's other nodes come back, and are a majority of the old cluster: the two do not mix.
        cluster[0].Start();
        cluster[1].Start();
        await cluster.WaitUntilReadyAsync();
        await cluster.WaitUntilAsync("they tell each other", () => cluster[0].Current().Contains("another cluster", StringComparison.Ordinal));
        (await cluster[0].ExecAsync("INSERT INTO t VALUES ('old')")).Status.Should().Be(200);
        (await cluster[2].QueryAsync("SELECT a FROM t ORDER BY a")).Rows.Should().Be("""[["kept"],["new"]]""");

        cluster[0].Kill();
        cluster[1].Kill();
        foreach (var node in (TestNode[])[cluster[0], cluster[1]])
        {
            node.Start("--rebuild", "--join", cluster[2].Address.GetLeftPart(UriPartial.Authority));
        }

        await cluster.WaitForMembersAsync("0 1 2");
        await cluster.WaitUntilReadyAsync();
        await cluster.ConvergeAsync();
        (await cluster[0].QueryAsync("SELECT a FROM t ORDER BY a")).Rows.Should().Be("""[["kept"],["new"]]""");
        Directory.GetFiles(Path.Combine(cluster[0].Folder, "quarantine"), "main.db", SearchOption.AllDirectories).Should().ContainSingle("nothing is deleted");
    }

    [Fact]
    public async Task The_tools_promote_verify_and_show_the_members()
    {
        await using var cluster = await TestCluster.StartAsync();
        var (code, output, error) = await RunAsync(cluster, "promote", "1");
        code.Should().Be(0, error);
        output.Should().Contain("Node 1 is the master");
        (code, output, _) = await RunAsync(cluster, "members");
        code.Should().Be(0);
        output.Should().Contain(cluster[1].Address.GetLeftPart(UriPartial.Authority)).And.Contain("voter");
        (code, _, error) = await RunAsync(cluster, "promote", "9");
        code.Should().Be(1);
        error.Should().Contain("Node 9 is not a member");
        (code, _, error) = await RunAsync(cluster, "members", "remove", "1");
        code.Should().Be(1);
        error.Should().Contain("is the master");
        (code, output, error) = await RunAsync(cluster, "members", "remove", "2", "--json");
        code.Should().Be(0, error);
        output.Should().NotContain("\"id\":2");
        (code, output, error) = await RunAsync(cluster, "verify");
        code.Should().Be(0, output + error);
        output.Should().Contain("All 2 replicas are equal");
        cluster[0].Kill();
        (code, output, _) = await RunAsync(cluster, "members");
        code.Should().Be(1, "a member is down");
        output.Should().Contain("NO");
    }

    private static Task<(int Code, string Output, string Error)> RecoverAsync(TestCluster cluster, int node, params string[] options) =>
        RunAsync(cluster, ["recover", node.ToString(CultureInfo.InvariantCulture), "2", "--data", Path.GetDirectoryName(cluster[node].Folder)!, .. options]);

    private static async Task<(int Code, string Output, string Error)> RunAsync(TestCluster cluster, params string[] arguments)
    {
        using var tool = DistDbProcess.Start(
            Path.GetTempPath(),
            new Dictionary<string, string>(),
            [.. arguments, "--base-port", cluster.BasePort.ToString(CultureInfo.InvariantCulture)]);
        var code = await tool.WaitForExitAsync(TimeSpan.FromSeconds(60));
        return (code, tool.Output, tool.Errors);
    }
}
