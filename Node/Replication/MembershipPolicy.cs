using DistDb.Node.Commands;
using DistDb.Node.Raft;
using DistDb.Node.Transport;

namespace DistDb.Node.Replication;

/// <summary>
/// What a leader makes of the membership: pure rules, one change at a time. They rest on the identity of each node's log. A node whose log
/// is not the one on record has lost what it promised to keep; it goes back to being a learner, which nobody counts on, gets the log again, and
/// becomes a voter when it has it.
/// </summary>
internal static class MembershipPolicy
{
    /// <summary>A learner with at most this many entries less than are committed becomes a voter: a moment's worth, which it gets meanwhile.</summary>
    public const int PromotionLagMax = 100;

    /// <summary>The next change that is due by itself, or null.</summary>
    public static Membership? NextStep(Membership current, MembershipFacts facts) =>
        WantedStep(current, facts) is { } next && CanCommit(next, facts) ? next : null;

    private static Membership? WantedStep(Membership current, MembershipFacts facts)
    {
        if (current.Find(facts.Self) is not { } self)
        {
            return null;
        }

        var met = current.Members.Where(m => m.Id != facts.Self && facts.Met.ContainsKey(m.Id)).ToList();
        if (facts.IsNewLeader && met.Any(m => m is { IsVoter: true, LogId: 0 } && !MayVote(m.Id, facts)))
        {
            // It is about to find out whether it may: at a cluster's beginning nearly always.
            return null;
        }

        if (self.LogId == 0)
        {
            return Begin(current, facts);
        }

        if (HasOtherScheme(self.Address, facts.Address))
        {
            return current.With(self with { Address = facts.Address });
        }

        foreach (var member in met)
        {
            if (facts.Met[member.Id].LogId is var logId && logId != member.LogId)
            {
                return current.With(Renewed(member, logId, facts));
            }

            if (!member.IsVoter && MayVote(member.Id, facts) && facts.CommitIndex - facts.Followers[member.Id].MatchIndex <= PromotionLagMax)
            {
                return current.With(member with { IsVoter = true });
            }

            if (HasOtherScheme(member.Address, facts.Met[member.Id].Address))
            {
                return current.With(member with { Address = facts.Met[member.Id].Address });
            }
        }

        return null;
    }

    /// <summary>What a wish leads to: the membership to propose, which is the current one where there is nothing to do, or why not.</summary>
    public static (Membership? Membership, Failure? Failure) Judge(Membership current, MembershipChange change, MembershipFacts facts)
    {
        var member = current.Find(change.Node);
        switch (change)
        {
            case JoinChange join when current.Removed.TryGetValue(join.Node, out var removed) && removed == join.LogId:
                return Refuse($"Node {join.Node} was removed from this cluster. To take it in again, start it with an empty data folder and --join.");
            case JoinChange join when member is null:
                return (current.With(new(join.Node, IsVoter: false, join.LogId, join.Address)), null);
            case JoinChange join when member.LogId != join.LogId && facts.Met.TryGetValue(join.Node, out var met) && met.LogId == member.LogId:
                return Refuse($"Node {join.Node} is a member of this cluster and runs at {met.Address}. Start the new node with another id, or stop that one first if it is to take its place.");
            case JoinChange join when member.LogId != join.LogId:
                return (current.With(Renewed(member, join.LogId, facts) with { Address = join.Address }), null);
            case JoinChange:
                return (current, null);

            case RemoveChange when member is null:
                return (current, null);
            case RemoveChange remove when remove.Node == facts.Master:
                return Refuse($"Node {remove.Node} is the master. Make another node the master first (distdb promote <id>), then remove it.");
            case RemoveChange remove when member.IsVoter:
                var without = current.Without(remove.Node);
                return CanCommit(without, facts)
                    ? (without, null)
                    : Refuse(
                        $"Without node {remove.Node} the cluster would stand still: of the voters that remain ({without}) no majority can be reached. "
                        + "Nothing was changed; start the others first.");
            case RemoveChange remove:
                return (current.Without(remove.Node), null);

            case AddressChange address when member is null:
                return (null, NoSuchNode(address.Node, current));
            case AddressChange address when current.Members.FirstOrDefault(m => m.Id != address.Node && m.Address == address.Address) is { } other:
                return Refuse($"{address.Address} is the address of node {other.Id}. Nothing was changed; if that node has moved, record its new address first, and remove it if it is gone.");
            case AddressChange address:
                return (member.Address == address.Address ? current : current.With(member with { Address = address.Address }), null);

            default:
                throw new System.Diagnostics.UnreachableException(change.GetType().Name);
        }

        static (Membership?, Failure?) Refuse(string why) => (null, new(FailureCode.Conflict, why));
    }

    /// <summary>What whoever names a node is told that does not belong to the cluster.</summary>
    public static Failure NoSuchNode(NodeId node, Membership current) => new(
        FailureCode.NoSuchNode, $"Node {node} is not a member of the cluster; its members are {current}. Nothing was done.");

    /// <summary>Whether a wish has come true.</summary>
    public static bool IsDone(Membership membership, MembershipChange change) => change switch
    {
        JoinChange join => membership.Find(join.Node)?.LogId == join.LogId,
        RemoveChange remove => membership.Find(remove.Node) is null,
        AddressChange address => membership.Find(address.Node)?.Address == address.Address,
        _ => throw new System.Diagnostics.UnreachableException(change.GetType().Name),
    };

    /// <summary>
    /// Whether the voters that are well now are a majority of a configuration: one without could neither be committed nor replaced.
    /// </summary>
    private static bool CanCommit(Membership next, MembershipFacts facts) =>
        next.Voters.Count(v => v == facts.Self || (facts.Followers.TryGetValue(v, out var follower) && follower is { IsActive: true, MayVote: true }))
        >= Quorum.Size(next.Voters.Count());

    /// <summary>The first configuration that stands in a log: who was met so far, and with which log.</summary>
    private static Membership Begin(Membership current, MembershipFacts facts) => new(
        current.Members.Select(m => m.Id == facts.Self ? m with { LogId = facts.LogId, Address = facts.Address }
            : facts.Met.TryGetValue(m.Id, out var met) && MayVote(m.Id, facts) ? m with { LogId = met.LogId, Address = met.Address }
            : m),
        current.Removed);

    /// <summary>
    /// A member that shows a log which is not on record. Where none was, and the node says that it has promised nothing with an earlier one,
    /// it stays a voter; otherwise it must learn everything again first.
    /// </summary>
    private static Member Renewed(Member member, ulong logId, MembershipFacts facts) =>
        member with { LogId = logId, IsVoter = member is { IsVoter: true, LogId: 0 } && MayVote(member.Id, facts) };

    /// <summary>
    /// Whether a node that is reached where it is on record calls itself by https there where the record says http, or the other way round: it was started with a
    /// certificate, or without. Any other difference of addresses is for operators to settle.
    /// </summary>
    private static bool HasOtherScheme(string recorded, string own) =>
        Uri.TryCreate(recorded, UriKind.Absolute, out var old) && Uri.TryCreate(own, UriKind.Absolute, out var now)
        && old.Scheme != now.Scheme && (old.Host, old.Port) == (now.Host, now.Port);

    /// <summary>Whether a node that was met says that it may vote, and says so of the log that it was met with.</summary>
    private static bool MayVote(NodeId node, MembershipFacts facts) =>
        facts.Followers.TryGetValue(node, out var follower) && follower.MayVote
        && facts.Met.TryGetValue(node, out var met) && follower.LogId == met.LogId;
}

/// <summary>What a leader knows when it looks at the membership.</summary>
/// <param name="Self">The leader.</param>
/// <param name="LogId">The identity of its log.</param>
/// <param name="Address">Where it is reached.</param>
/// <param name="Master">Who may change the schema.</param>
/// <param name="CommitIndex">How far the log is committed.</param>
/// <param name="IsNewLeader">It has led for no more than a moment.</param>
/// <param name="Met">
/// The nodes that there is a link to, and what the process at each one's address said of itself. Whoever calls in under a member's id may be another.
/// </param>
/// <param name="Followers">How the other members are doing.</param>
internal sealed record MembershipFacts(
    NodeId Self,
    ulong LogId,
    string Address,
    NodeId Master,
    LogIndex CommitIndex,
    bool IsNewLeader,
    IReadOnlyDictionary<NodeId, PeerIdentity> Met,
    IReadOnlyDictionary<NodeId, FollowerState> Followers);
