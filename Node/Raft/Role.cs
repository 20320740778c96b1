namespace DistDb.Node.Raft;

/// <summary>What a node is in its current term.</summary>
public enum Role
{
    Follower,

    /// <summary>Asks whether an election could be won, without disturbing anybody's term (thesis §9.6).</summary>
    PreCandidate,
    Candidate,
    Leader,
}
