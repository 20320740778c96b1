using System.Runtime.CompilerServices;
using DistDb.Node.Raft;

namespace DistDb.Tests.Simulation;

/// <summary>Makes a core forget what it waits for before it changes the membership, which nothing outside of it could do.</summary>
internal static class CoreTampering
{
    public static bool TryProposeMembership(RaftNode core, Membership membership, Sabotage sabotage)
    {
        var termStart = core.TermStart;
        ref var membershipIndex = ref IndexOf(LogOf(core).Memberships);
        var knownIndex = membershipIndex;
        switch (sabotage)
        {
            case Sabotage.LeaderSkipsOwnTermBeforeChange:
                SetTermStart(core, LogIndex.Zero);
                break;
            case Sabotage.MembershipUncommittedTwice:
                membershipIndex = LogIndex.Min(knownIndex, core.CommitIndex);
                break;
            case Sabotage.LostLogsCounted:
                foreach (var (id, progress) in ProgressOf(core))
                {
                    progress.LogId = membership.Find(id)?.LogId ?? progress.LogId;
                }

                break;
            default:
                break;
        }

        var isProposed = core.TryProposeMembership(core.Term, core.LastIndex.Next, membership);
        if (!isProposed)
        {
            membershipIndex = knownIndex;
        }

        SetTermStart(core, termStart);
        return isProposed;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Method, Name = "set_TermStart")]
    private static extern void SetTermStart(RaftNode core, LogIndex value);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_log")]
    private static extern ref RaftLog LogOf(RaftNode core);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_progress")]
    private static extern ref SortedDictionary<NodeId, Progress> ProgressOf(RaftNode core);

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_index")]
    private static extern ref LogIndex IndexOf(MembershipHistory history);
}
