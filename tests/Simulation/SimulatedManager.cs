using DistDb.Node.Raft;

namespace DistDb.Tests.Simulation;

/// <summary>
/// A node's part in who belongs to the cluster, as the real owner plays it: it meets the others, releases its node when the cluster is as
/// new as its log, and where it leads, names logs that it met, demotes voters that come with another log, promotes learners
/// that have caught up, and does what the operator wants.
/// </summary>
internal sealed class SimulatedManager(
    SimulatedNode node, Membership initial, Random random, Trace trace, SafetyChecker checker, SimulatedNetwork network, Sabotage sabotage)
{
    private const int WishesMax = 4;

    private readonly Dictionary<NodeId, (ulong LogId, bool IsNewFounder)> _met = [];
    private readonly Queue<MembershipWish> _wishes = new();

    public void Wish(MembershipWish wish)
    {
        if (_wishes.Count < WishesMax)
        {
            _wishes.Enqueue(wish);
        }
    }

    public void Tick()
    {
        var isNew = node.IsHeldBack && node.Disk.LatestMembership is null;
        if (!isNew && node.Core!.Role != Role.Leader)
        {
            _met.Clear();
            _wishes.Clear();
            return;
        }

        Meet();
        if (isNew && initial.IsVoter(node.Id) && initial.Voters.All(v => v == node.Id || (_met.TryGetValue(v, out var met) && met.IsNewFounder)))
        {
            trace.Add("is released", node.Id);
            node.Release();
        }

        if (node.Core!.Role == Role.Leader)
        {
            Manage(node.Core);
        }
    }

    /// <summary>Shakes hands, which needs both at once, as a connection does.</summary>
    private void Meet()
    {
        foreach (var other in node.Cluster)
        {
            if (other.Id != node.Id && random.Next(4) == 0 && other.IsUp && network.IsConnected(node.Id, other.Id))
            {
                _met[other.Id] = (other.ShownLogId, other.IsFounder && !other.HasHistory);
            }
        }
    }

    private void Manage(RaftNode core)
    {
        if (Next(core) is not { } next || !CanDecide(core, next))
        {
            return;
        }

        if (CoreTampering.TryProposeMembership(core, next, sabotage))
        {
            trace.Add($"proposes {next} as members", node.Id, number: core.LastIndex.Value);
            checker.OnStep(node);
        }
    }

    /// <summary>A membership that has no majority at hand could never be committed, nor be replaced by another.</summary>
    private bool CanDecide(RaftNode core, Membership next) =>
        1 + core.FollowerProgress.Count(f => IsAtHand(f) && next.IsVoter(f.Id)) > next.Voters.Count() / 2;

    /// <summary>A voter that is lost as soon as it is counted on is one fault more; when all is healed there are none.</summary>
    private bool IsAtHand(FollowerState follower) =>
        follower is { IsActive: true, MayVote: true }
        && (!network.IsHealthy || (node.Cluster[follower.Id.Value].IsUp && network.IsConnected(node.Id, follower.Id)));

    private Membership? Next(RaftNode core)
    {
        var known = core.Membership;
        var self = new Member(node.Id, IsVoter: true, node.ShownLogId, "");
        var next = known.With(self);
        foreach (var follower in core.FollowerProgress)
        {
            var member = known.Find(follower.Id)!;
            if (!_met.TryGetValue(follower.Id, out var met))
            {
                continue;
            }

            if (member.IsVoter && member.LogId == 0 && follower is { MayVote: true } && IsSaidBy(met.LogId, follower))
            {
                next = next.With(member with { LogId = met.LogId });
            }
            else if (member.IsVoter ? member.LogId != met.LogId && follower is { IsActive: true, MayVote: false } : member.LogId != met.LogId)
            {
                return next.With(member with { IsVoter = false, LogId = met.LogId });
            }
            else if (!member.IsVoter && IsAtHand(follower) && IsSaidBy(met.LogId, follower) && follower.MatchIndex >= core.CommitIndex && random.Next(3) > 0)
            {
                return next.With(member with { IsVoter = true });
            }
        }

        return next.Equals(known) ? Granted(next) : next;
    }

    /// <summary>Whether what is known of a follower is known of the log that it was met with.</summary>
    private bool IsSaidBy(ulong logId, FollowerState follower) => follower.LogId == logId || sabotage == Sabotage.LostLogsCounted;

    private Membership? Granted(Membership known)
    {
        if (network.IsHealthy)
        {
            _wishes.Clear();
        }

        if (!_wishes.TryDequeue(out var wish) || wish.Node == node.Id)
        {
            return null;
        }

        var member = known.Find(wish.Node);
        return wish.What switch
        {
            MembershipWish.Kind.Add when member is null && _met.TryGetValue(wish.Node, out var met) =>
                known.With(new(wish.Node, IsVoter: false, met.LogId, "")),
            MembershipWish.Kind.Remove when member is not null => known.Without(wish.Node),
            MembershipWish.Kind.Demote when member is { IsVoter: true } => known.With(member with { IsVoter = false }),
            _ => null,
        };
    }
}
