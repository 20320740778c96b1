namespace DistDb.Data;

/// <summary>What reads outside of transactions see.</summary>
public enum DistDbConsistency
{
    /// <summary>What the serving node has, and at least what this process has seen of the cluster: its own writes, and nothing older than it has read before.</summary>
    Local = 0,

    /// <summary>Every write that was answered to anybody before the read was sent (linearizable).</summary>
    Strong = 1,
}
