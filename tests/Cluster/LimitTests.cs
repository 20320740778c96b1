using DistDb.Tests.Support;
using Xunit.Abstractions;

namespace DistDb.Tests.Cluster;

/// <summary>Requests that cannot be answered in time, and a cluster without a majority.</summary>
public sealed class LimitTests(ITestOutputHelper output) : IAsyncLifetime
{
    private const string Endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";

    private TestCluster _cluster = null!;

    public async Task InitializeAsync()
    {
        _cluster = await TestCluster.StartAsync(2, "--timeout", "2s");
        await MustSucceedAsync(() => _cluster.Master.ExecAsync("CREATE TABLE IF NOT EXISTS t (a)"));
        await MustSucceedAsync(() => _cluster.Master.ExecAsync("INSERT INTO t VALUES (0)"));
        await _cluster.ConvergeAsync();
    }

    public async Task DisposeAsync()
    {
        output.WriteLine(_cluster.Logs);
        await _cluster.DisposeAsync();
    }

    [Fact]
    public async Task An_endless_statement_is_stopped_and_the_cluster_goes_on()
    {
        var before = await _cluster.ConvergeAsync();
        var leader = await _cluster.FindLeaderAsync();
        var follower = _cluster.Nodes.First(n => n != leader);
        Func<Task<Answer>>[] requests =
        [
            () => leader.QueryAsync($"{Endless} SELECT count(*) FROM n"),
            () => follower.QueryAsync($"{Endless} SELECT i FROM n WHERE i < 0"),
            () => follower.PostAsync($$"""{"command":"query","query":"{{Endless}} SELECT max(i) FROM n","consistency":"strong"}"""),
            () => leader.ExecAsync($"{Endless} INSERT INTO t SELECT i FROM n WHERE i < 0"),
            () => follower.ExecAsync($"INSERT INTO t {Endless} SELECT i FROM n WHERE i < 0"),
            () => follower.PostAsync(
                $$"""{"command":"exec","transaction":[{"query":"INSERT INTO t VALUES (1)"},{"query":"{{Endless}} DELETE FROM t WHERE a IN (SELECT i FROM n WHERE i < 0)"}]}"""),
        ];
        foreach (var request in requests)
        {
            ShouldBe(await request(), 408, "timeout");
            (await _cluster.ConvergeAsync()).Should().Be(before, "what was stopped leaves nothing");
        }

        // All of them at once, several times.
        var answers = await Task.WhenAll(Enumerable.Range(0, 10).SelectMany(_ => requests.Select(r => r())));
        answers.Should().OnlyContain(a => a.Code == "timeout" || a.Code == "overloaded" || a.Code == "no_quorum");
        (await _cluster.ConvergeAsync()).Should().Be(before);
        foreach (var node in _cluster.Nodes)
        {
            await MustSucceedAsync(() => node.ExecAsync("INSERT INTO t VALUES (1)"));
            await MustSucceedAsync(() => node.QueryAsync("SELECT count(*) FROM t"));
        }

        await _cluster.ConvergeAsync();
    }

    [Fact]
    public async Task An_index_that_does_not_come_is_not_waited_for_longer()
    {
        var answer = await _cluster[1].PostAsync("""{"command":"query","query":"SELECT 1","min_index":9223372036854775807}""");
        ShouldBe(answer, 408, "timeout");
        answer.Detail.Should().Contain("9223372036854775807");
    }

    [Fact]
    public async Task Without_a_majority_reads_go_on_and_writes_say_why_they_cannot()
    {
        var leader = await _cluster.FindLeaderAsync();
        var survivor = _cluster.Nodes.First(n => n != leader);
        var others = _cluster.Nodes.Where(n => n != survivor).ToList();
        others.ForEach(n => n.Kill());
        await _cluster.WaitUntilAsync("the survivor knows that it is alone", async () => !await survivor.IsReadyAsync());

        var write = await survivor.ExecAsync("INSERT INTO t VALUES (1)");
        ShouldBe(write, 503, "no_quorum");
        others.Should().OnlyContain(n => write.Detail.Contains($"node {n.Id}"), "the missing nodes are named");
        var strong = await survivor.PostAsync("""{"command":"query","query":"SELECT count(*) FROM t","consistency":"strong"}""");
        ShouldBe(strong, 503, "no_quorum");
        (await survivor.QueryAsync("SELECT count(*) FROM t")).Scalar.GetInt32().Should().Be(1);
        (await survivor.GetAsync("/health/live")).Status.Should().Be(200);

        others.ForEach(n => n.Start());
        await _cluster.WaitUntilReadyAsync();
        await MustSucceedAsync(() => survivor.ExecAsync("INSERT INTO t VALUES (2)"));
        await _cluster.ConvergeAsync();
        (await survivor.QueryAsync("SELECT a FROM t")).Rows.Should().Be("[[0],[2]]", "what was refused is not done");
    }

    [Fact]
    public async Task A_write_whose_fate_a_lonely_leader_cannot_tell_is_done_once_when_sent_again()
    {
        var leader = await _cluster.FindLeaderAsync();
        var others = _cluster.Nodes.Where(n => n != leader).ToList();
        others.ForEach(n => n.Kill());
        const string Sql = "UPDATE t SET a = a + 1";
        var answer = await leader.ExecOnceAsync("the one", Sql);
        if (answer.Code != "no_quorum")
        {
            ShouldBe(answer, 504, "outcome_unknown");
            answer.Json.GetProperty("id").GetString().Should().Be("the one");
        }

        others.ForEach(n => n.Start());
        await _cluster.WaitUntilReadyAsync();
        foreach (var node in _cluster.Nodes)
        {
            await MustSucceedAsync(() => node.ExecOnceAsync("the one", Sql));
        }

        await _cluster.ConvergeAsync();
        (await leader.QueryAsync("SELECT a FROM t")).Rows.Should().Be("[[1]]");
    }

    private static void ShouldBe(Answer answer, int status, string code)
    {
        answer.Code.Should().Be(code, answer.Text);
        answer.Status.Should().Be(status);
        answer.Text.Should().NotContain("   at ");
    }

    /// <summary>The time limit is short and the machine may be slow; here it only matters that it works.</summary>
    private Task MustSucceedAsync(Func<Task<Answer>> send) => _cluster.WaitUntilAsync("a request succeeds", async () => (await send()).IsOk);
}
