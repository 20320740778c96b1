namespace DistDb.Node.Raft;

/// <summary>What a leader knows of another member.</summary>
/// <param name="Id">Which.</param>
/// <param name="IsVoter">As the configuration in force has it.</param>
/// <param name="LogId">The identity of the log that all that follows is said of: the one that answered; 0 where none did.</param>
/// <param name="MatchIndex">Everything up to here is on its disk.</param>
/// <param name="IsActive">It was heard within the last election timeout or two.</param>
/// <param name="MayVote">
/// By its own last word (see <see cref="RaftNode.MayVote"/>). A voter that says no, though it is active, has another log than the configuration
/// says, or a new one that nobody has released.
/// </param>
public readonly record struct FollowerState(NodeId Id, bool IsVoter, ulong LogId, LogIndex MatchIndex, bool IsActive, bool MayVote);
