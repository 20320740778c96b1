using System.Text.Json;
using DistDb.Tools;
using DistDb.Tools.Bench;

namespace DistDb.Tests.Tools.Bench;

public sealed class BenchTests
{
    [Fact]
    public async Task A_load_is_measured_its_errors_are_counted_by_code_and_nothing_is_left()
    {
        await using var cluster = await FakeCluster.StartAsync(1);
        var inserts = 0;
        cluster.Nodes[0].Intercept = request =>
            request.Query.StartsWith("INSERT", StringComparison.Ordinal) && Interlocked.Increment(ref inserts) % 10 == 1 ? new(503, "overloaded") : null;

        var result = await cluster.RunAsync("bench", "--database", "main", "--mix", "insert=1,read=1", "--clients", "3", "--duration", "1", "--warm-up", "0", "--json");

        result.ExitCode.Should().Be(ExitCode.BadNews);
        result.Error.Should().MatchRegex("^distdb: making the table bench_[0-9a-f]{8} in the database main, which is dropped in the end.\n$");
        using var json = JsonDocument.Parse(result.Output);
        var operations = json.RootElement.GetProperty("operations").EnumerateArray().ToArray();
        operations.Select(one => one.GetProperty("operation").GetString()).Should().Equal("insert", "read", "all");
        operations.Should().OnlyContain(one => one.GetProperty("count").GetInt64() > 0 && one.GetProperty("p50_ms").GetDouble() > 0);
        var refused = json.RootElement.GetProperty("errors").GetProperty("overloaded").GetInt64();
        refused.Should().Be((inserts + 9) / 10);
        operations[0].GetProperty("count").GetInt64().Should().BeInRange(1, inserts - refused);
        cluster.Nodes[0].Scalar("SELECT count(*) FROM sqlite_master").Should().Be(0);
    }

    [Fact]
    public async Task Where_nothing_may_be_made_nothing_is_said_to_be_left()
    {
        await using var cluster = await FakeCluster.StartAsync(1);
        cluster.Nodes[0].Intercept = _ => new(403, "forbidden");

        var result = await cluster.RunAsync("bench", "--duration", "1");

        result.ExitCode.Should().Be(ExitCode.BadNews);
        result.Error.Should().EndWith("distdb: detail of forbidden.\n").And.NotContain("still there");
        cluster.Nodes[0].Requests.Should().ContainSingle();
    }

    [Fact]
    public async Task Clients_of_a_node_that_dies_go_on_at_another()
    {
        await using var cluster = await FakeCluster.StartAsync(2);
        var served = new TaskCompletionSource();
        cluster.Nodes[0].Intercept = _ =>
        {
            served.TrySetResult();
            return null;
        };
        var generator = new LoadGenerator(
            [new(cluster.Nodes[0].Address)], [new(cluster.Nodes[1].Address)], 2, 1,
            _ => () => new(0, LoadConnection.Request("POST", "/query", NodeRequest.Query("SELECT 1").ToJson().Span)));
        using var stop = new CancellationTokenSource(TimeSpan.FromSeconds(60));

        var running = generator.RunAsync(TimeSpan.Zero, TimeSpan.FromSeconds(60), stop.Token);
        await served.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await cluster.Nodes[0].DisposeAsync();
        while (cluster.Nodes[1].Requests.Count < 10 && !stop.IsCancellationRequested)
        {
            await Task.Yield();
        }

        await stop.CancelAsync();
        var result = await running;
        cluster.Nodes[1].Requests.Count.Should().BeGreaterThanOrEqualTo(10);
        result.Errors.Keys.Should().Contain("unreachable");
        result.All.Count.Should().BeGreaterThan(0);
    }

    [Fact]
    public void Percentiles_are_within_their_bucket_of_the_truth()
    {
        var histogram = new LatencyHistogram();
        foreach (var i in Enumerable.Range(1, 10_000))
        {
            histogram.Add(TimeSpan.FromMicroseconds(i * 10));
        }

        histogram.Count.Should().Be(10_000);
        histogram.Max.Should().Be(TimeSpan.FromMilliseconds(100));
        foreach (var fraction in new[] { 0.0001, 0.01, 0.5, 0.9, 0.99, 0.999 })
        {
            var truth = Math.Ceiling(10_000 * fraction) * 10;
            histogram.Percentile(fraction).TotalMicroseconds.Should().BeInRange(truth, truth * 65 / 64);
        }

        histogram.Percentile(1).Should().Be(histogram.Max);
        new LatencyHistogram().Percentile(0.99).Should().Be(TimeSpan.Zero);
        histogram.Add(TimeSpan.FromDays(30));
        histogram.Max.Should().Be(TimeSpan.FromDays(30));
    }

    [Theory]
    [InlineData("delete")]
    [InlineData("read=0")]
    [InlineData("read=-1")]
    [InlineData("read,read")]
    [InlineData("read=")]
    [InlineData("")]
    public async Task A_mix_that_is_none_is_wrong_usage(string mix)
    {
        var result = await FakeCluster.RunToolAsync("bench", "--mix", mix);

        result.ExitCode.Should().Be(ExitCode.WrongUsage);
        result.Error.Should().StartWith("distdb: --mix takes insert, update, read, transaction");
    }
}
