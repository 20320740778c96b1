using System.Globalization;
using DistDb.Tests.Support;

namespace DistDb.Tests.Cluster;

/// <summary>The option with which tests move a node's clock.</summary>
public sealed class ClockOffsetTests
{
    [Fact]
    public async Task Moves_the_time_of_writes_while_the_node_runs_but_never_back()
    {
        var file = Path.GetTempFileName();
        try
        {
            await using var cluster = await TestCluster.StartAsync(0, "--clock-offset-file", file);
            var before = await NowAsync(cluster);
            before.Should().BeCloseTo(DateTime.UtcNow, TimeSpan.FromMinutes(1), "an empty file moves nothing");

            await File.WriteAllTextAsync(file, "7200000");
            var moved = default(DateTime);
            await cluster.WaitUntilAsync("the clock has jumped", async () => (moved = await NowAsync(cluster)) - before > TimeSpan.FromHours(1));
            moved.Should().BeCloseTo(DateTime.UtcNow.AddHours(2), TimeSpan.FromMinutes(1));

            await File.WriteAllTextAsync(file, "-3600000");
            using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(150));
            await timer.WaitForNextTickAsync();
            (await NowAsync(cluster)).Should().BeOnOrAfter(moved, "replicated time never goes back");
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static async Task<DateTime> NowAsync(TestCluster cluster)
    {
        (await cluster.Master.ExecAsync("CREATE TABLE IF NOT EXISTS moments(at TEXT DEFAULT (strftime('%Y-%m-%d %H:%M:%f')))")).Status.Should().Be(200);
        var answer = await cluster.Master.ExecAsync("INSERT INTO moments DEFAULT VALUES RETURNING at");
        return DateTime.Parse(
            answer.Scalar.GetString()!, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);
    }
}
