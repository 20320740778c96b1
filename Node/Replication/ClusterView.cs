using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>Who belongs to the cluster as this node's log has it; an immutable picture that the Raft loop renews.</summary>
/// <param name="Membership">The newest configuration in the log, committed or not; the one from the command line as long as there is none.</param>
/// <param name="MembershipIndex">Where it stands; zero for the one from the command line, or where its entry was cut off the log.</param>
/// <param name="IsCommitted">Whether it stays.</param>
/// <param name="IsNews">Whether it was made while this process ran, see <see cref="StartingPoint"/>.</param>
/// <param name="Followers">At the leader, how each other member is doing; empty elsewhere.</param>
internal sealed record ClusterView(
    Membership Membership, LogIndex MembershipIndex, bool IsCommitted, bool IsNews, IReadOnlyList<FollowerState> Followers);
