namespace DistDb.Node.Api;

/// <summary>Bounds how many follow changes at a node at once. Each has a connection, and holds some of the changes in memory while it takes them.</summary>
internal sealed class FollowerGate()
    : Gate(FollowersMax, $"{FollowersMax} clients follow changes at this node, which is the most there may be. Nothing was done; ask another node, or come back later.")
{
    /// <summary>Many for programs that each follow one database; a few hundred MiB where all of them are slow.</summary>
    private const int FollowersMax = 500;
}
