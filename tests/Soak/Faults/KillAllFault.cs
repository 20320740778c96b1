namespace DistDb.Tests.Soak.Faults;

/// <summary>All nodes die at once, as in a power failure, and come back one by one.</summary>
internal sealed class KillAllFault : Fault
{
    public override string Kind => "kill all";

    public override async Task<bool> RunAsync(Arena arena, Random random, TimeSpan hold, Findings findings, CancellationToken end)
    {
        int[] nodes = [.. Enumerable.Range(0, arena.NodeCount)];
        if (arena.TryClaim(nodes) is not { } claim)
        {
            return false;
        }

        using (claim)
        using (arena.Announce(Kind))
        {
            await Task.WhenAll(nodes.Select(n => Task.Run(() => arena.Kill(n), CancellationToken.None)));
            random.Shuffle(nodes);
            foreach (var node in nodes)
            {
                await HoldAsync(hold / nodes.Length, end);
                arena.Start(node);
            }
        }

        return true;
    }
}
