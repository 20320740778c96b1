namespace DistDb.Tests.Soak.Faults;

/// <summary>
/// Destroys what one node has, while the node is down, and holds on until the cluster has made it whole again: the others' copies must stay
/// whole meanwhile, so only one such fault is under way at a time.
/// </summary>
internal abstract class DestructiveFault : Fault
{
    public override bool NeedsPeers => true;

    public override async Task<bool> RunAsync(Arena arena, Random random, TimeSpan hold, Findings findings, CancellationToken end)
    {
        if (arena.TryClaimDestruction() is not { } right)
        {
            return false;
        }

        using (right)
        {
            if (await Victim.Any.TryClaimAsync(arena, random) is not var (node, claim))
            {
                return false;
            }

            using (arena.Announce($"{Kind} (node {node})"))
            {
                Func<Task<bool>> isHealed;
                using (claim)
                {
                    arena.Kill(node);
                    isHealed = Destroy(arena, random, node);
                    await HoldAsync(hold, end);
                    arena.Start(node);
                }

                while (!end.IsCancellationRequested && !await isHealed())
                {
                    await Task.Delay(50, CancellationToken.None);
                }
            }
        }

        return true;
    }

    /// <summary>Does it, to a node that is down.</summary>
    /// <returns>Tells whether the node is whole again.</returns>
    protected abstract Func<Task<bool>> Destroy(Arena arena, Random random, int node);
}
