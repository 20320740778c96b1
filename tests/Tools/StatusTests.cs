using DistDb.Node.Api;
using DistDb.Tools;

namespace DistDb.Tests.Tools;

public sealed class StatusTests
{
    [Fact]
    public async Task A_cluster_that_is_well_is_good_news()
    {
        await using var cluster = await FakeCluster.StartAsync(3);

        var result = await cluster.RunAsync("status");

        result.ExitCode.Should().Be(ExitCode.Success, result.Error);
        result.LastLine.Should().Be("Node 0 leads, node 0 is the master. All 3 nodes are up.");
        result.Output.Should().Contain($"│ {cluster.Nodes[1].Address} │");
    }

    [Theory]
    [InlineData(true, true, 0, true, "Node 0 leads, node 0 is the master. All 3 nodes are up.")]
    [InlineData(true, false, 0, false, "Node 0 leads, node 0 is the master. Node 2 is DOWN.")]
    [InlineData(true, true, null, false, "There is no leader now: writes and strong reads wait for one. All 3 nodes are up.")]
    [InlineData(false, false, 0, false, "Only 1 of 3 voters can be reached from node 0, which is no majority: writes and strong reads wait. Node 1 is DOWN. Node 2 is DOWN.")]
    public void News_are_told_in_words(bool isOneUp, bool isTwoUp, int? leader, bool isGood, string text)
    {
        bool[] up = [true, isOneUp, isTwoUp];
        var summary = ClusterSummary.Of(new(0, 0, leader, [.. up.Select((isUp, id) => new ClusterMemberStatus(id, $"http://n{id}", "node", "voter", isUp, null, null))]));

        summary.Should().Match<ClusterSummary>(one => one.IsGood == isGood && one.Text == text);
    }
}
