namespace DistDb.Tests.Soak.Faults;

/// <summary>SIGSTOP and SIGCONT: a node that thinks, when it wakes up, that no time has passed.</summary>
internal sealed class PauseFault(Victim victim) : Fault
{
    public override string Kind => victim == Victim.Any ? "freeze a node" : $"freeze the {victim.ToString().ToLowerInvariant()}";

    public override async Task<bool> RunAsync(Arena arena, Random random, TimeSpan hold, Findings findings, CancellationToken end)
    {
        if (await victim.TryClaimAsync(arena, random) is not var (node, claim))
        {
            return false;
        }

        using (claim)
        using (arena.Announce($"{Kind} (node {node})"))
        {
            arena.Cluster[node].Pause();
            await HoldAsync(hold, end);
            arena.Cluster[node].Resume();
        }

        return true;
    }
}
