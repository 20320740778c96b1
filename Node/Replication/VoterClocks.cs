using System.Collections.Concurrent;
using DistDb.Node.Database;
using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>
/// What the voters' clocks show, as far as they told lately. The time of the log never goes back, so that one clock that is far ahead would spoil it for
/// good: the leader goes no further than most clocks allow. Thread safe.
/// </summary>
internal sealed class VoterClocks
{
    /// <summary>How far a leader's clock may be ahead of the voters' median: much more than clocks differ that anybody looks after.</summary>
    public const long LeadMaxMs = 10 * 60_000;

    /// <summary>Peers tell four times a second; whoever was silent for this long does not count.</summary>
    private const long SilenceMaxMs = 60_000;

    private readonly ConcurrentDictionary<NodeId, (long ClockMs, long HeardAtMs)> _clocks = [];

    /// <summary>A peer told what its clock shows.</summary>
    /// <param name="peer">Which.</param>
    /// <param name="clockMs">In milliseconds since 1970.</param>
    /// <param name="nowMs">By a clock that only goes forward.</param>
    public void Hear(NodeId peer, long clockMs, long nowMs)
    {
        if (clockMs is >= 0 and <= DatabaseWriter.TimeMsMax)
        {
            _clocks[peer] = (clockMs, nowMs);
        }
    }

    /// <summary>What to take for the time.</summary>
    /// <param name="ownMs">What this node's clock shows.</param>
    /// <param name="otherVoters">All voters but this node. Those whose clock is not known do not count.</param>
    /// <param name="nowMs">By a clock that only goes forward.</param>
    /// <returns>
    /// This node's time, or so much less that it is not further ahead of the median than it may be. Of an even number of clocks the later of the two in the
    /// middle counts: of two, none can be told to be wrong, and time must not stand still for one that is behind.
    /// </returns>
    public long Bound(long ownMs, IEnumerable<NodeId> otherVoters, long nowMs)
    {
        List<long> clocks = [ownMs];
        foreach (var voter in otherVoters)
        {
            if (_clocks.TryGetValue(voter, out var told) && nowMs - told.HeardAtMs <= SilenceMaxMs)
            {
                clocks.Add(told.ClockMs + (nowMs - told.HeardAtMs));
            }
        }

        clocks.Sort();
        return Math.Min(ownMs, clocks[clocks.Count / 2] + LeadMaxMs);
    }
}
