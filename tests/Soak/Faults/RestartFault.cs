namespace DistDb.Tests.Soak.Faults;

/// <summary>Orderly restarts (SIGTERM): of the leader alone, or of all nodes one after the other, as for a new version.</summary>
/// <param name="isRolling">All, one after the other.</param>
internal sealed class RestartFault(bool isRolling) : Fault
{
    // Of a process that was told to stop before it had begun to listen for that.
    private const int ExitCodeOfSigTerm = 128 + 15;

    public override string Kind => isRolling ? "rolling restart" : "restart the leader in order";

    public override async Task<bool> RunAsync(Arena arena, Random random, TimeSpan hold, Findings findings, CancellationToken end)
    {
        if (!isRolling)
        {
            return await Victim.Leader.TryClaimAsync(arena, random) is var (leader, claim) && await RestartAsync(arena, leader, claim, hold, findings, end);
        }

        var count = 0;
        for (var node = 0; node < arena.NodeCount && !end.IsCancellationRequested; node++)
        {
            if (arena.TryClaim(node) is { } each)
            {
                await RestartAsync(arena, node, each, hold / arena.NodeCount, findings, end);
                count++;
                await WaitUntilReadyAsync(arena, node, end);
            }
        }

        return count > 0;
    }

    private async Task<bool> RestartAsync(Arena arena, int node, IDisposable claim, TimeSpan hold, Findings findings, CancellationToken end)
    {
        using (claim)
        using (arena.Announce($"{Kind} (node {node})"))
        {
            if (await arena.StopAsync(node) is not (0 or ExitCodeOfSigTerm) and var exitCode)
            {
                findings.Add(FindingKind.Unexpected, $"Node {node} ended with exit code {exitCode} when it was asked to stop.");
            }

            await HoldAsync(hold, end);
            arena.Start(node);
        }

        return true;
    }

    /// <summary>As an operator would; but another fault may be in the way, so not for ever.</summary>
    private static async Task WaitUntilReadyAsync(Arena arena, int node, CancellationToken end)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(end);
        patience.CancelAfter(TimeSpan.FromSeconds(15));
        while (!patience.IsCancellationRequested && !await arena.Cluster[node].IsReadyAsync())
        {
            await HoldAsync(TimeSpan.FromMilliseconds(50), patience.Token);
        }
    }
}
