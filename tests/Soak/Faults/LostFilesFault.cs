namespace DistDb.Tests.Soak.Faults;

/// <summary>A node's disk is replaced by an empty one. The node must not vote before it is taken in again, with everything.</summary>
internal sealed class LostFilesFault : DestructiveFault
{
    public override string Kind => "lose all files";

    protected override Func<Task<bool>> Destroy(Arena arena, Random random, int node)
    {
        Directory.Delete(arena.Cluster[node].Folder, recursive: true);
        return () => arena.IsVoterAsync(node);
    }
}
