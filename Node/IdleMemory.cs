using DistDb.Node.Raft;
using DistDb.Node.Replication;

namespace DistDb.Node;

/// <summary>
/// Gives memory back that a node does not need any more. The garbage collector runs when memory is asked for: a node that has nothing to do would keep
/// for ever what the last large requests left behind, which is more than ten times their size.
/// </summary>
internal sealed class IdleMemory(ClusterNode node) : BackgroundService
{
    // Of what is allocated between two looks, in bytes: a node without clients allocates a tenth of that.
    private const long QuietBytesMax = 16 << 20;

    // Of what may be garbage, in bytes: for less nobody is made to wait.
    private const long WorthwhileBytes = 128 << 20;

    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(10);

    // Giving back takes a tenth to a third of a second, in which nothing else happens: long enough for others to take a leader for dead.
    private bool MayPause => node.Role != Role.Leader || node.Peers.Count == 0;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(_interval);
        var (seen, collected) = (0L, 0L);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                var allocated = GC.GetTotalAllocatedBytes();
                if (MayPause && allocated - seen < QuietBytesMax && allocated - collected > WorthwhileBytes && GC.GetGCMemoryInfo().TotalCommittedBytes > WorthwhileBytes)
                {
                    GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                    collected = allocated;
                }

                seen = allocated;
            }
        }
        catch (OperationCanceledException)
        {
            // The node stops.
        }
    }
}
