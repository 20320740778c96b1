using DistDb.Tests.Support;

namespace DistDb.Tests.Cluster;

/// <summary>Nodes that are told to stop before they serve.</summary>
public sealed class EarlyStopTests
{
    private const int SigTermExitCode = 128 + 15;

    [Fact]
    public async Task A_node_that_is_told_to_stop_while_it_starts_does_not_call_that_a_failure()
    {
        // At another moment of its start each time.
        for (var i = 0; i < 8; i++)
        {
            await using var cluster = TestCluster.Create(0, _ => []);
            var node = cluster.Master;
            node.Start();
            await cluster.WaitUntilAsync("it has opened its database", () => File.Exists(node.DatabasePath));
            await Task.Delay(i * 20);

            // Before it listens to signals, the signal alone ends it.
            (await node.StopAsync()).Should().BeOneOf([0, SigTermExitCode], node.Log);
        }
    }
}
