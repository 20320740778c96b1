using System.Diagnostics;

namespace DistDb.Tests.Soak.Faults;

/// <summary>Whom a fault befalls.</summary>
internal enum Victim
{
    Leader,
    Follower,
    Master,
    Any,
}

/// <summary>Finds them.</summary>
internal static class VictimExtensions
{
    /// <summary>Claims a node of that description; null where there is none, or another fault has it.</summary>
    public static async Task<(int Node, IDisposable Claim)?> TryClaimAsync(this Victim victim, Arena arena, Random random)
    {
        if (victim == Victim.Any)
        {
            return arena.TryClaimAny(random);
        }

        var leader = await arena.FindLeaderAsync();
        int? node = victim switch
        {
            Victim.Leader => leader,
            Victim.Follower => leader is null || arena.NodeCount == 1 ? null : (leader + random.Next(1, arena.NodeCount)) % arena.NodeCount,
            Victim.Master => 0,
            _ => throw new UnreachableException(victim.ToString()),
        };
        return node is { } found && arena.TryClaim(found) is { } claim ? (found, claim) : null;
    }
}
