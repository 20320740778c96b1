using DistDb.Tools;

namespace DistDb.Tests.Tools;

public sealed class FailoverTests
{
    [Fact]
    public async Task Of_several_addresses_the_first_that_answers_is_asked()
    {
        await using var cluster = await FakeCluster.StartAsync(3);
        await cluster.Nodes[0].DisposeAsync();

        var result = await FakeCluster.RunToolAsync("members", "--url", $"{cluster.Nodes[0].Address},{cluster.Nodes[2].Address}", "--csv");

        result.ExitCode.Should().Be(ExitCode.Success, result.Error);
        result.Output.Should().StartWith("node,address,role,suffrage,reachable\r\n0,").And.Contain($"\r\n2,{cluster.Nodes[2].Address},node,voter,yes\r\n");
    }

    [Fact]
    public async Task Where_none_answers_the_cluster_is_unreachable()
    {
        await using var cluster = await FakeCluster.StartAsync(2);
        await cluster.Nodes[0].DisposeAsync();
        await cluster.Nodes[1].DisposeAsync();

        var result = await FakeCluster.RunToolAsync("members", "--url", $"{cluster.Nodes[0].Address},{cluster.Nodes[1].Address}");

        result.ExitCode.Should().Be(ExitCode.Unreachable);
        result.Error.Should().Contain($"{cluster.Nodes[0].Address} cannot be reached: connection refused");
    }

    [Fact]
    public async Task The_others_are_learnt_from_one_and_go_on_when_it_dies()
    {
        await using var cluster = await FakeCluster.StartAsync(3);
        using var connection = await OpenAsync(cluster.Nodes[1]);
        Uri? movedTo = null;
        connection.Moved = node => movedTo = node;
        connection.Nodes.Should().HaveCount(3);
        await cluster.Nodes[1].DisposeAsync();

        var answer = await connection.AskAsync(node => connection.Client.QueryAsync(node, NodeRequest.Query("SELECT 7"), default), default);

        answer.Rows[0][0].Integer.Should().Be(7);
        connection.Current.Should().Be(movedTo).And.NotBe(new Uri(cluster.Nodes[1].Address));
    }

    [Fact]
    public async Task A_node_that_is_not_ready_is_passed_over_and_a_refusal_is_not()
    {
        await using var cluster = await FakeCluster.StartAsync(2);
        using var connection = await OpenAsync(cluster.Nodes[0]);
        cluster.Nodes[0].Intercept = _ => new(503, "repairing");

        (await AskAsync()).Rows[0][0].Integer.Should().Be(1);
        cluster.Nodes[1].Intercept = _ => new(400, "sql_error");
        var refused = async () => await AskAsync();

        (await refused.Should().ThrowAsync<NodeProblemException>()).Which.Code.Should().Be("sql_error");
        cluster.Nodes.Select(node => node.Requests.Count).Should().Equal(1, 2);

        Task<RowsAnswer> AskAsync() => connection.AskAsync(node => connection.Client.QueryAsync(node, NodeRequest.Query("SELECT 1"), default), default);
    }

    [Fact]
    public async Task Json_and_csv_at_once_is_wrong_usage()
    {
        var result = await FakeCluster.RunToolAsync("members", "--json", "--csv");

        result.ExitCode.Should().Be(ExitCode.WrongUsage);
        result.Error.Should().Contain("Choose one of --json and --csv.");
    }

    private static Task<ClusterConnection> OpenAsync(FakeNode node) =>
        ClusterConnection.OpenAsync(new([new(node.Address)], "127.0.0.1", 1, TimeSpan.FromSeconds(10), Json: false, Token: null, Trust: null), default);
}
