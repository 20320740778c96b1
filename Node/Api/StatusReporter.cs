using DistDb.Node.Replication;

namespace DistDb.Node.Api;

/// <summary>Tells the peers every quarter of a second how this node is, so that any node can show the whole cluster, and silence means something.</summary>
internal sealed class StatusReporter(ClusterNode node, StatusBuilder status) : BackgroundService
{
    private static readonly TimeSpan _interval = TimeSpan.FromMilliseconds(250);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_interval);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                node.Report(status.WriteNode());
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }
}
