namespace DistDb.Node.Raft;

/// <summary>One node of the cluster, as a configuration entry records it.</summary>
/// <param name="Id">Its number.</param>
/// <param name="IsVoter">Whether it counts for majorities; otherwise it is a learner, which gets the log and decides nothing (thesis §4.2.1).</param>
/// <param name="LogId">
/// The identity of its log, a random number that was made with the log's file; 0 while nobody has met it. A node that comes back with another
/// log has forgotten what it promised, and must not be taken for the one that promised it.
/// </param>
/// <param name="Address">Where it is reached, such as <c>http://127.0.0.1:8081</c>; opaque to the core.</param>
public sealed record Member(NodeId Id, bool IsVoter, ulong LogId, string Address);
