using DistDb.Tests.Support;

namespace DistDb.Tests.Soak.Faults;

/// <summary>A node is removed from the cluster, must stop by itself, and joins again with a new log.</summary>
internal sealed class RemovalFault : Fault
{
    public override string Kind => "remove a node, and let it join";

    public override bool NeedsPeers => true;

    public override async Task<bool> RunAsync(Arena arena, Random random, TimeSpan hold, Findings findings, CancellationToken end)
    {
        if (arena.TryClaimDestruction() is not { } right)
        {
            return false;
        }

        using (right)
        {
            if (await Victim.Follower.TryClaimAsync(arena, random) is not var (node, claim))
            {
                return false;
            }

            using (claim)
            {
                var host = (node + random.Next(1, arena.NodeCount)) % arena.NodeCount;
                if (node == 0 || await TryRemoveAsync(arena.Cluster[host], node) is false)
                {
                    return false;
                }

                using (arena.Announce($"{Kind} (node {node})"))
                {
                    // It may not hear of it just now, when other faults cut it off.
                    arena.Kill(node);
                    await HoldAsync(hold, end);
                    arena.Start(node, "--rebuild", "--join", arena.AddressFor(node, host));
                    while (!end.IsCancellationRequested && !await arena.IsVoterAsync(node))
                    {
                        await Task.Delay(50, CancellationToken.None);
                    }
                }
            }
        }

        return true;
    }

    /// <summary>Null where nobody knows: then it is taken for removed, and joins again in either case.</summary>
    private static async Task<bool?> TryRemoveAsync(TestNode host, int node)
    {
        try
        {
            var answer = await host.DeleteAsync($"/cluster/members/{node}");
            return answer.IsOk ? true : answer.Code is "outcome_unknown" ? null : false;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return null;
        }
    }
}
