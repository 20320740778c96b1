using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>
/// Decides when a node has the cluster verified by itself: the leader every now and then, and each node after its start. One serves all: a
/// leader does it at once, so that the others, who wait a moment each, find it done when a whole cluster starts. <see cref="IsDue"/> belongs to one thread.
/// </summary>
internal sealed class VerificationSchedule(NodeId self, TimeSpan interval)
{
    private const long FollowerPatienceMs = 250;
    private const long StaggerMs = 20;
    private const long RetryMs = 5000;

    private long? _readySinceMs;
    private long _notBeforeMs;
    private long _demandedAtMs = long.MinValue;

    /// <summary>Whether to propose a verification now; if so, it is not again before a while.</summary>
    public bool IsDue(long nowMs, bool isReady, bool isLeader, bool mustBeVerified, Verifier verifier)
    {
        if (!isReady)
        {
            _readySinceMs = null;
            return false;
        }

        _readySinceMs ??= nowMs;
        if (nowMs < Interlocked.Read(ref _notBeforeMs) || verifier.IsBusy)
        {
            return false;
        }

        var isDemanded = verifier.LastBegunAtMs <= Interlocked.Read(ref _demandedAtMs);
        var isDue = isDemanded || ((mustBeVerified || interval > TimeSpan.Zero) && !verifier.IsVerified)
            ? isLeader || nowMs - _readySinceMs >= FollowerPatienceMs + (StaggerMs * self.Value)
            : interval > TimeSpan.Zero && isLeader && nowMs - verifier.LastBegunAtMs >= interval.TotalMilliseconds;
        if (isDue)
        {
            Interlocked.Exchange(ref _notBeforeMs, nowMs + RetryMs);
        }

        return isDue;
    }

    /// <summary>There is cause to have the cluster verified now, whatever the interval. May be called on any thread.</summary>
    public void Demand(long nowMs)
    {
        Interlocked.Exchange(ref _demandedAtMs, nowMs);
        Restart();
    }

    /// <summary>The node's content was replaced: as after a start.</summary>
    public void Restart() => Interlocked.Exchange(ref _notBeforeMs, 0);
}
