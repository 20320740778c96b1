using System.Globalization;

namespace DistDb.Tests.Soak.Faults;

/// <summary>The master's role goes to another node and back.</summary>
internal sealed class PromotionFault : Fault
{
    public override string Kind => "promote another master";

    public override bool NeedsPeers => true;

    public override async Task<bool> RunAsync(Arena arena, Random random, TimeSpan hold, Findings findings, CancellationToken end)
    {
        if (arena.TryClaimDestruction() is not { } right)
        {
            return false;
        }

        using (right)
        using (arena.Announce(Kind))
        {
            // A node that is a learner just now is refused, and no harm is done.
            await TryPromoteAsync(arena, random.Next(arena.NodeCount), random.Next(1, arena.NodeCount));
            await HoldAsync(hold, end);

            // Back, whatever it takes: tables are made at node 0.
            while (!await TryPromoteAsync(arena, random.Next(arena.NodeCount), 0))
            {
                await Task.Delay(100, CancellationToken.None);
            }
        }

        return true;
    }

    private static async Task<bool> TryPromoteAsync(Arena arena, int via, int heir)
    {
        try
        {
            return (await arena.Cluster[via].PostAsync("/cluster/promote", string.Create(CultureInfo.InvariantCulture, $"{{\"id\":{heir}}}"))).IsOk;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }
}
