using DistDb.Tests.Support;
using Xunit.Abstractions;

namespace DistDb.Tests.Overload;

/// <summary>More than a cluster can do is refused with <c>overloaded</c>, and nothing else suffers. The long form is <c>tests/overload.sh</c>.</summary>
public sealed class OverloadTests(ITestOutputHelper output)
{
    [Fact]
    public async Task Full_queues_refuse_keep_what_was_acknowledged_and_recover()
    {
        var report = await RunAsync(new() { ConnectionCount = 150, Duration = TimeSpan.FromSeconds(4), NodeOptions = ["--max-pending", "10"] });
        report.Answers.Should().ContainKey("overloaded");
    }

    [Fact]
    public async Task Large_bodies_do_not_fill_the_memory()
    {
        const long MemoryBytesMax = 640 << 20;
        var report = await RunAsync(new()
        {
            ConnectionCount = 120,
            Duration = TimeSpan.FromSeconds(4),
            WriteBytes = 1_000_000,
            NodeOptions = ["--max-body", "2000000", "--request-memory", "16000000", "--max-pending-bytes", "16000000"],
        });
        report.Answers.Should().ContainKey("overloaded");
        report.PeakMemoryBytes.Should().OnlyContain(bytes => bytes < MemoryBytesMax);
    }

    [Fact]
    public async Task More_requests_than_allowed_are_refused_before_they_are_read()
    {
        await using var cluster = await TestCluster.StartAsync(0, "--max-requests", "1");
        const string Endless = """{"command":"query","timeout_ms":5000,"query":"WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT count(*) FROM c"}""";
        var first = cluster.Master.PostAsync(Endless);
        await cluster.WaitUntilAsync("a second request is refused", async () =>
        {
            var second = await cluster.Master.QueryAsync("SELECT 1");
            return second.Code == "overloaded" ? second.Detail.Contains("--max-requests", StringComparison.Ordinal) : second.IsOk && first.IsCompleted;
        });
        (await first).Code.Should().BeOneOf("timeout", "overloaded");
        (await cluster.Master.QueryAsync("SELECT 1")).IsOk.Should().BeTrue();
    }

    private async Task<OverloadReport> RunAsync(OverloadOptions options)
    {
        var report = await OverloadRun.RunAsync(options, output.WriteLine);
        output.WriteLine(report.ToString());
        report.IsClean.Should().BeTrue(report.ToString());
        report.Answers.Keys.Should().NotContain(["broken", "no Retry-After", "internal"]);
        return report;
    }
}
