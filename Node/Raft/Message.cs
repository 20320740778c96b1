namespace DistDb.Node.Raft;

/// <summary>What nodes say to each other. Messages may be lost, doubled, delayed and reordered.</summary>
/// <param name="From">The sender.</param>
/// <param name="To">The receiver.</param>
/// <param name="Term">The sender's term; in a pre-vote and its grant, the term that the election would have.</param>
public abstract record Message(NodeId From, NodeId To, Term Term);

/// <summary>What a node says about its log when it is asked: a promise, which binds that log and no other.</summary>
/// <param name="LogId">The identity of the sender's log, see <see cref="Member.LogId"/>.</param>
public abstract record Answer(NodeId From, NodeId To, Term Term, ulong LogId) : Message(From, To, Term);

/// <summary>A candidate asks for a vote (Raft §5.2).</summary>
/// <param name="LastLogIndex">The candidate's last entry.</param>
/// <param name="LastLogTerm">That entry's term.</param>
/// <param name="IsTransfer">The leader itself asked for this election, so voters need not wait for its silence (thesis §3.10).</param>
public sealed record RequestVote(NodeId From, NodeId To, Term Term, LogIndex LastLogIndex, Term LastLogTerm, bool IsTransfer)
    : Message(From, To, Term);

/// <summary>The answer to <see cref="RequestVote"/>.</summary>
public sealed record RequestVoteResponse(NodeId From, NodeId To, Term Term, ulong LogId, bool Granted) : Answer(From, To, Term, LogId);

/// <summary>Asks whether a vote would be granted; changes no one's term or vote (thesis §9.6).</summary>
public sealed record PreVote(NodeId From, NodeId To, Term Term, LogIndex LastLogIndex, Term LastLogTerm) : Message(From, To, Term);

/// <summary>The answer to <see cref="PreVote"/>; a grant carries the asked term, a refusal the voter's own.</summary>
public sealed record PreVoteResponse(NodeId From, NodeId To, Term Term, ulong LogId, bool Granted) : Answer(From, To, Term, LogId);

/// <summary>Entries from the leader; without any it is a heartbeat or tells how far the log is committed (Raft §5.3).</summary>
/// <param name="PrevLogIndex">The position before the first of <paramref name="Entries"/>.</param>
/// <param name="PrevLogTerm">The term there in the leader's log.</param>
/// <param name="Entries">In order, without gaps.</param>
/// <param name="LeaderCommit">How far the leader knows the log to be committed.</param>
/// <param name="ReadRound">The leader's newest read round, given back in the answer; 0 before the first.</param>
/// <param name="WantsAnswer">
/// False where it only tells how far the log is committed: the follower is silent then, unless its log does not agree. With one client's writes every
/// second message is such.
/// </param>
public sealed record AppendEntries(
    NodeId From,
    NodeId To,
    Term Term,
    LogIndex PrevLogIndex,
    Term PrevLogTerm,
    IReadOnlyList<Entry> Entries,
    LogIndex LeaderCommit,
    long ReadRound,
    bool WantsAnswer) : Message(From, To, Term);

/// <summary>The follower's log agrees with the leader's up to <paramref name="MatchIndex"/>, on disk.</summary>
/// <param name="MayVote">Whether the answer counts for majorities, see <see cref="RaftNode.MayVote"/>.</param>
public sealed record AppendEntriesAccepted(NodeId From, NodeId To, Term Term, ulong LogId, LogIndex MatchIndex, long ReadRound, bool MayVote)
    : Answer(From, To, Term, LogId);

/// <summary>The follower's log does not hold the entry before the sent ones, or the sender's term is over.</summary>
/// <param name="PrevLogIndex">Which position was refused; tells an answer that came late.</param>
/// <param name="HintIndex">The last position that may agree.</param>
/// <param name="HintTerm">The follower's term there.</param>
/// <param name="MayVote">As in <see cref="AppendEntriesAccepted"/>.</param>
public sealed record AppendEntriesRejected(
    NodeId From,
    NodeId To,
    Term Term,
    ulong LogId,
    LogIndex PrevLogIndex,
    LogIndex HintIndex,
    Term HintTerm,
    long ReadRound,
    bool MayVote) : Answer(From, To, Term, LogId);

/// <summary>
/// The leader's heartbeat to a follower whose log ends before the leader's begins: entries cannot help it, a snapshot can (Raft §7). The
/// data travels outside the core: the follower's owner fetches it, at its own pace, from any node that has it.
/// </summary>
/// <param name="BaseIndex">A snapshot must reach at least here for the leader's entries to follow on.</param>
/// <param name="ReadRound">As in <see cref="AppendEntries"/>.</param>
public sealed record InstallSnapshot(NodeId From, NodeId To, Term Term, LogIndex BaseIndex, long ReadRound) : Message(From, To, Term);

/// <summary>A follower asks for an index that makes a local read linearizable (thesis §6.4).</summary>
/// <param name="Context">The follower's own number for it, given back in the answer.</param>
public sealed record ReadIndexRequest(NodeId From, NodeId To, Term Term, long Context) : Message(From, To, Term);

/// <summary>Whoever has applied <paramref name="Index"/> may answer the read.</summary>
public sealed record ReadIndexResponse(NodeId From, NodeId To, Term Term, long Context, LogIndex Index) : Message(From, To, Term);

/// <summary>The leader asks a follower to start an election at once (thesis §3.10).</summary>
public sealed record TimeoutNow(NodeId From, NodeId To, Term Term) : Message(From, To, Term);
