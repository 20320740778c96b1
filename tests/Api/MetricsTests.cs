using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using DistDb.Tests.Support;

namespace DistDb.Tests.Api;

/// <summary>What Prometheus gets from nodes of a real cluster.</summary>
[Collection(nameof(ApiTests))]
public sealed partial class MetricsTests(ApiCluster api)
{
    [Fact]
    public async Task A_node_tells_what_it_did_and_how_it_is()
    {
        var node = api.Cluster[1];
        var before = await ReadAsync(node);
        (await node.ExecAsync("UPDATE t SET c = c WHERE id = 1")).IsOk.Should().BeTrue();
        (await node.QueryAsync("SELECT 1")).IsOk.Should().BeTrue();
        (await node.QueryAsync("SELEC 1")).Code.Should().Be("sql_error");
        (await node.PostAsync("{}")).Code.Should().Be("bad_request");
        var after = await ReadAsync(node);
        await api.Cluster.WaitUntilAsync("the picture that gauges are of, which is kept for a moment, is of after the write", async () =>
        {
            after = await ReadAsync(node);
            return Grown("distdb_applied_writes_total") >= 1;
        });

        Grown("distdb_http_requests_total{route=\"/query\",command=\"exec\",code=\"200\"}").Should().Be(1);
        Grown("distdb_http_requests_total{route=\"/query\",command=\"query\",code=\"200\"}").Should().Be(1);
        Grown("distdb_http_requests_total{route=\"/query\",command=\"query\",code=\"400\"}").Should().Be(1);
        Grown("distdb_http_requests_total{route=\"/query\",command=\"\",code=\"400\"}").Should().Be(1);
        Grown("distdb_http_request_duration_seconds_count{route=\"/query\",command=\"exec\"}").Should().Be(1);
        Grown("distdb_read_duration_seconds_count").Should().Be(1);
        Grown("distdb_write_duration_seconds_count").Should().Be(1);
        Grown("distdb_log_appended_entries_total").Should().BeGreaterThanOrEqualTo(1);
        Grown("distdb_apply_duration_seconds_count").Should().BeGreaterThanOrEqualTo(1);

        var status = (await node.StatusAsync())!.Value;
        after["distdb_raft_term"].Should().Be(status.GetProperty("term").GetInt64());
        after["distdb_ready"].Should().Be(1);
        after["distdb_pending_writes"].Should().Be(0);
        after["distdb_peer_up{peer=\"0\"}"].Should().Be(1);
        after["distdb_database_file_bytes{database=\"main\"}"].Should().BeGreaterThan(0);
        after["process_resident_memory_bytes"].Should().BeGreaterThan(10_000_000);
        after["process_open_fds"].Should().BeGreaterThan(10);

        double Grown(string series) => after[series] - before.GetValueOrDefault(series);
    }

    [Fact]
    public async Task The_leader_times_what_only_a_leader_does()
    {
        await api.Cluster.Master.ExecAsync("UPDATE t SET c = c WHERE id = 1");
        var counts = await Task.WhenAll(api.Cluster.Nodes.Select(async n => (await ReadAsync(n))["distdb_commit_duration_seconds_count"]));
        counts.Sum().Should().BeGreaterThan(0);
    }

    [Fact]
    public async Task Every_metric_that_the_dashboard_shows_is_there()
    {
        await api.Cluster.Master.ExecAsync("UPDATE t SET c = c WHERE id = 1");
        await api.Cluster.Master.QueryAsync("SELECT 1");
        await api.Cluster.WaitUntilAsync(
            "the first comparison of the replicas is over", async () => (await ReadAsync(api.Cluster.Master)).ContainsKey("distdb_verification_index"));
        var names = (await ReadAsync(api.Cluster.Master)).Keys.Select(series => series.Split('{')[0]).ToHashSet();

        using var dashboard = JsonDocument.Parse(await File.ReadAllBytesAsync(Repository.PathOf("docs/grafana-dashboard.json")));
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray().ToList();
        panels.Select(p => p.GetProperty("id").GetInt32()).Should().OnlyHaveUniqueItems();
        var expressions = panels.Where(p => p.TryGetProperty("targets", out _))
            .SelectMany(p => p.GetProperty("targets").EnumerateArray()).Select(t => t.GetProperty("expr").GetString()!).ToList();
        expressions.Should().HaveCountGreaterThan(20);
        foreach (var expression in expressions)
        {
            var named = MetricNames().Matches(expression).Select(m => m.Value).ToList();
            named.Should().NotBeEmpty(expression);
            names.Should().Contain(named, expression);
        }
    }

    internal static async Task<Dictionary<string, double>> ReadAsync(TestNode node)
    {
        var answer = await node.GetAsync("/metrics");
        answer.Status.Should().Be(200, answer.Text);
        answer.ContentType.Should().Be("text/plain");
        return answer.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => l[0] != '#').Select(l => (l, At: l.LastIndexOf(' ')))
            .ToDictionary(l => l.l[..l.At], l => l.l[(l.At + 1)..] == "+Inf" ? double.PositiveInfinity : double.Parse(l.l[(l.At + 1)..], CultureInfo.InvariantCulture));
    }

    [GeneratedRegex(@"\b(?:distdb|process|dotnet)_\w+(?=\{)")]
    private static partial Regex MetricNames();
}
