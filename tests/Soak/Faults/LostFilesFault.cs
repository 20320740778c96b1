namespace DistDb.Tests.Soak.Faults;

/// <summary>A node's disk is replaced by an empty one. The node must not vote before it is taken in again, with everything.</summary>
internal sealed class LostFilesFault : Fault
{
    public override string Kind => "lose all files";

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
                using (claim)
                {
                    arena.Kill(node);
                    Directory.Delete(arena.Cluster[node].Folder, recursive: true);
                    await HoldAsync(hold, end);
                    arena.Start(node);
                }

                await arena.WaitUntilVoterAsync(node, end);
            }
        }

        return true;
    }
}
