using System.Text.Json;
using DistDb.Tests.Support;

namespace DistDb.Tests.Cluster;

/// <summary>A node that logs for programs, and that is not ready at first.</summary>
public sealed class LogFormatTests
{
    [Fact]
    public async Task With_json_every_line_is_an_object_and_readiness_is_told()
    {
        await using var cluster = TestCluster.Create(1, _ => ["--log-format", "json", "--log-level", "debug"], _ => new Dictionary<string, string>());
        cluster[0].Start();
        await cluster.WaitUntilAsync("the node says why it is not ready", async () =>
        {
            try
            {
                var answer = await cluster[0].GetAsync("/health/ready?verbose");
                var leader = answer.Json.GetProperty("checks").EnumerateArray().Single(c => c.GetProperty("name").GetString() == "leader");
                return answer.Status == 503 && answer.Json.GetProperty("status").GetString() == "not_ready"
                    && !leader.GetProperty("ok").GetBoolean() && leader.GetProperty("detail").GetString()!.Contains("cannot reach node 1", StringComparison.Ordinal);
            }
            catch (HttpRequestException)
            {
                return false;
            }
        });
        cluster[1].Start();
        await cluster.WaitUntilReadyAsync();
        (await cluster[1].StopAsync()).Should().Be(0);
        await cluster.WaitUntilAsync("the node that is left says that it does not serve", () => Task.FromResult(Events(cluster[0]).Any(e => e.Id == 414)));
        (await cluster[0].StopAsync()).Should().Be(0);
        Events(cluster[0]).Select(e => e.Id).Should().Contain([101, 401, 413, 102]);
        Events(cluster[0]).Single(e => e.Id == 414).Message.Should().Contain("no leader").And.Contain("node 1");
    }

    /// <summary>Throws where a line is something else.</summary>
    private static List<(int Id, string Message)> Events(TestNode node) =>
    [
        .. node.Log.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => !l.StartsWith("(ended", StringComparison.Ordinal)).Select(line =>
        {
            using var json = JsonDocument.Parse(line);
            json.RootElement.GetProperty("Timestamp").GetDateTimeOffset().Should().BeCloseTo(DateTimeOffset.UtcNow, TimeSpan.FromMinutes(5));
            return (json.RootElement.GetProperty("EventId").GetInt32(), json.RootElement.GetProperty("Message").GetString()!);
        }),
    ];
}
