using System.Collections.Concurrent;
using System.Text.Json;
using DistDb.Tools;

namespace DistDb.Tests.Tools;

public sealed class SendDummyTests
{
    [Fact]
    public async Task Rows_go_through_all_nodes_in_turn_and_the_table_through_the_master()
    {
        await using var cluster = await FakeCluster.StartAsync(3);
        cluster.Nodes[1].Execute(UsersTable);
        cluster.Nodes[2].Execute("CREATE TABLE other (v)");
        CreateWithMaster(cluster);

        var result = await cluster.RunAsync("send-dummy", "--count", "9", "--concurrency", "3", "--prefix", "bob");

        result.ExitCode.Should().Be(ExitCode.Success, result.Error);
        result.LastLine.Should().StartWith("Inserted 9, failed 0; ");
        cluster.Nodes.Select(node => Inserts(node).Count()).Should().Equal(3, 3, 3);
        var inserts = cluster.Nodes.SelectMany(Inserts).ToArray();
        inserts.Select(insert => insert.Id).Should().OnlyHaveUniqueItems().And.NotContainNulls();
        inserts.Select(insert => insert.Parameters[0].Text).Should().OnlyHaveUniqueItems().And.OnlyContain(name => name.StartsWith("bob-"));
        cluster.Nodes[0].Requests.Should().ContainSingle(request => request.Query.StartsWith("CREATE TABLE"));
        cluster.Nodes.Skip(1).SelectMany(node => node.Requests).Should().NotContain(request => request.Query.StartsWith("CREATE TABLE"));
    }

    [Fact]
    public async Task Two_runs_do_not_collide()
    {
        await using var cluster = await FakeCluster.StartAsync(1);
        await cluster.RunAsync("send-dummy");

        var result = await cluster.RunAsync("send-dummy", "--count", "5");

        result.ExitCode.Should().Be(ExitCode.Success);
        cluster.Nodes[0].Scalar("SELECT count(*) FROM users").Should().Be(15);
    }

    [Fact]
    public async Task One_node_can_be_chosen()
    {
        await using var cluster = await FakeCluster.StartAsync(3);
        cluster.ExecuteEverywhere(UsersTable);

        var result = await cluster.RunAsync("send-dummy", "--to", "1", "--count", "4");

        result.ExitCode.Should().Be(ExitCode.Success);
        cluster.Nodes.Select(node => Inserts(node).Count()).Should().Equal(0, 4, 0);
    }

    [Fact]
    public async Task A_node_that_is_not_there_is_wrong_usage()
    {
        await using var cluster = await FakeCluster.StartAsync(2);

        var result = await cluster.RunAsync("send-dummy", "--to", "7");

        result.ExitCode.Should().Be(ExitCode.WrongUsage);
        result.Error.Should().Contain("There is no node 7 in this cluster; its nodes are 0, 1.");
    }

    [Theory]
    [InlineData(503, "no_quorum", false)]
    [InlineData(503, "overloaded", false)]
    [InlineData(504, "outcome_unknown", true)]
    [InlineData(504, "outcome_unknown", false)]
    public async Task What_may_pass_is_tried_again_with_the_same_id(int status, string code, bool applied)
    {
        await using var cluster = await FakeCluster.StartAsync(1);
        cluster.ExecuteEverywhere(UsersTable);
        var tries = new ConcurrentDictionary<string, int>();
        cluster.Nodes[0].Intercept = request =>
            request.Command == "exec" && tries.AddOrUpdate(request.Id!, 1, (_, n) => n + 1) <= 2 ? new(status, code, applied) : null;

        var result = await cluster.RunAsync("send-dummy", "--count", "3");

        result.ExitCode.Should().Be(ExitCode.Success);
        tries.Should().HaveCount(3).And.OnlyContain(one => one.Value == 3);
        cluster.Nodes[0].Scalar("SELECT count(*) FROM users").Should().Be(3);
    }

    [Fact]
    public async Task Other_nodes_take_over_from_one_that_is_down()
    {
        await using var cluster = await FakeCluster.StartAsync(3);
        cluster.ExecuteEverywhere(UsersTable);
        await cluster.Nodes[0].DisposeAsync();

        var result = await cluster.RunAsync("send-dummy", "--count", "6");

        result.ExitCode.Should().Be(ExitCode.Success);
        cluster.Nodes.Skip(1).Sum(node => Inserts(node).Count()).Should().Be(6);
    }

    [Fact]
    public async Task Without_its_master_a_cluster_lacks_the_table()
    {
        await using var cluster = await FakeCluster.StartAsync(2);
        await cluster.Nodes[0].DisposeAsync();

        var result = await cluster.RunAsync("send-dummy", "--retry-for", "0");

        result.ExitCode.Should().Be(ExitCode.BadNews);
        result.Error.Should().StartWith("distdb: The table users cannot be created, which only the master (node 0) can do: http://127.0.0.1:");
    }

    [Fact]
    public async Task A_failure_that_lasts_is_given_up_and_counted()
    {
        await using var cluster = await FakeCluster.StartAsync(2);
        cluster.ExecuteEverywhere(UsersTable);
        cluster.Nodes[0].Intercept = Refuse;
        cluster.Nodes[1].Intercept = Refuse;

        var result = await cluster.RunAsync("send-dummy", "--count", "2", "--retry-for", "1", "--json");

        result.ExitCode.Should().Be(ExitCode.BadNews);
        result.Error.Trim().Should().Be("distdb: 2 failed: detail of no_quorum.");
        using var json = JsonDocument.Parse(result.Output);
        json.RootElement.GetProperty("inserted").GetInt32().Should().Be(0);
        json.RootElement.GetProperty("failed").GetInt32().Should().Be(2);
        cluster.Nodes.Should().OnlyContain(node => Inserts(node).Any(), "each is tried");

        static FakeProblem? Refuse(FakeRequest request) => request.Command == "exec" ? new(503, "no_quorum") : null;
    }

    [Fact]
    public async Task A_refusal_is_not_repeated()
    {
        await using var cluster = await FakeCluster.StartAsync(1);
        cluster.Nodes[0].Execute("CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT CHECK (username NOT LIKE '%-1'), email TEXT)");

        var result = await cluster.RunAsync("send-dummy", "--count", "3");

        result.ExitCode.Should().Be(ExitCode.BadNews);
        result.LastLine.Should().StartWith("Inserted 2, failed 1; ");
        result.Error.Trim().Should().Be("distdb: 1 failed: detail of constraint.");
        Inserts(cluster.Nodes[0]).Should().HaveCount(3);
    }

    private const string UsersTable = "CREATE TABLE users (id INTEGER PRIMARY KEY, username TEXT UNIQUE, email TEXT)";

    private static IEnumerable<FakeRequest> Inserts(FakeNode node) => node.Requests.Where(request => request.Query.StartsWith("INSERT"));

    /// <summary>What the log would do: the master's table appears on the node that was asked whether it exists.</summary>
    private static void CreateWithMaster(FakeCluster cluster) => cluster.Nodes[0].Intercept = request =>
    {
        if (request.Query.StartsWith("CREATE TABLE", StringComparison.Ordinal))
        {
            cluster.Nodes[2].Execute(UsersTable);
        }

        return null;
    };
}
