namespace DistDb.Tests.Soak.Faults;

/// <summary><c>kill -9</c>, and a start on the same files.</summary>
internal sealed class KillFault(Victim victim) : Fault
{
    public override string Kind => victim == Victim.Any ? "kill a node" : $"kill the {victim.ToString().ToLowerInvariant()}";

    public override async Task<bool> RunAsync(Arena arena, Random random, TimeSpan hold, Findings findings, CancellationToken end)
    {
        if (await victim.TryClaimAsync(arena, random) is not var (node, claim))
        {
            return false;
        }

        using (claim)
        using (arena.Announce($"{Kind} (node {node})"))
        {
            arena.Kill(node);
            await HoldAsync(hold, end);
            arena.Start(node);
        }

        return true;
    }
}
