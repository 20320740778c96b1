using DistDb.Node.Raft;
using DistDb.Node.Transport;

namespace DistDb.Node.Replication;

/// <summary>
/// Decides when a node with a new log may vote. A log is new at the very beginning of a cluster, and also where it was lost; in the second case
/// the node does not know any more what it promised, and its vote could elect a leader that lacks acknowledged writes. So it first
/// looks around: a cluster begins among nodes of which none has a history. If one has, this node waits for the leader to take it in.
/// </summary>
/// <param name="others">The other nodes that a new cluster would consist of.</param>
/// <param name="patience">After this a majority will do; until then all are waited for.</param>
internal sealed class FormationWatch(IReadOnlyCollection<NodeId> others, TimeSpan patience)
{
    private const long WarningAfterMs = 1000;

    private readonly long _started = Environment.TickCount64;
    private bool _hasWarned;

    /// <summary>Whether the node may vote from now on.</summary>
    /// <param name="identityOf">What each said of itself; null for those not met yet.</param>
    public bool IsNewCluster(Func<NodeId, PeerIdentity?> identityOf)
    {
        // One that wants to join a cluster is not at the beginning of this one.
        var met = others.Select(identityOf).OfType<PeerIdentity>().Where(m => !m.IsJoining).ToList();
        if (met.Any(m => m.HasHistory))
        {
            return false;
        }

        return met.Count == others.Count
            || (met.Count + 1 >= Quorum.Size(others.Count + 1) && Environment.TickCount64 - _started >= patience.TotalMilliseconds);
    }

    /// <summary>True once, when this has taken longer than it should where all nodes are started together.</summary>
    public bool TakeWarning()
    {
        if (_hasWarned || Environment.TickCount64 - _started < WarningAfterMs)
        {
            return false;
        }

        _hasWarned = true;
        return true;
    }

    /// <summary>Those who are waited for.</summary>
    public IReadOnlyList<NodeId> Missing(Func<NodeId, PeerIdentity?> identityOf) => [.. others.Where(o => identityOf(o) is null)];
}
