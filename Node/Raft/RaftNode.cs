namespace DistDb.Node.Raft;

/// <summary>
/// One node's share of the Raft algorithm, as a machine without time, chance, disk or network of its own: <see cref="Step"/>,
/// <see cref="Tick"/>, <see cref="TryPropose"/> and <see cref="RequestRead"/> change its state; <see cref="TakeReady"/> hands out what must
/// happen in the world because of it. The same inputs always give the same outputs. One thread at a time may use it.
/// <para>
/// On top of the paper it has pre-vote and check-quorum (thesis §6.2, §9.6), so that a node that was cut off disturbs nobody and a
/// leader that is cut off notices; leadership transfer (thesis §3.10); pipelined entries with conflict hints; ReadIndex (thesis §6.4);
/// and membership changes, one server at a time, with learners (thesis §4).
/// </para>
/// </summary>
public sealed partial class RaftNode
{
    private readonly RaftOptions _options;
    private readonly RaftLog _log;
    private readonly Random _random;
    private readonly ulong _logId;
    private readonly List<Message> _messages = [];
    private readonly List<Message> _earlyMessages = [];
    private readonly List<ReadState> _reads = [];

    private HardState _persistedHardState;
    private LogIndex _commitHandedOut;
    private LogIndex? _snapshotWanted;
    private NodeId[] _voters = [];
    private bool _isHeldBack;
    private bool _readyTaken;

    // Ticks since a leader was heard (or an election began); for a leader, since it last checked its majority.
    private int _electionElapsed;
    private int _electionTimeout;
    private int _heartbeatElapsed;

    /// <param name="id">This node.</param>
    /// <param name="logId">The identity of <paramref name="store"/>; see <see cref="Member.LogId"/>.</param>
    /// <param name="initial">Who belongs to the cluster as long as no configuration entry says it; empty for a node that is to join.</param>
    /// <param name="isHeldBack">Whether the log is new and it is not known yet that the cluster is, too; see <see cref="Release"/>.</param>
    /// <param name="hardState">As last written, or default.</param>
    /// <param name="store">The log on disk.</param>
    /// <param name="commitIndex">An index known to be committed, such as the last one applied durably; zero if none.</param>
    /// <param name="options">Limits.</param>
    /// <param name="random">The only source of chance, used for election timeouts.</param>
    public RaftNode(
        NodeId id,
        ulong logId,
        Membership initial,
        bool isHeldBack,
        HardState hardState,
        ILogStore store,
        LogIndex commitIndex,
        RaftOptions options,
        Random random)
    {
        Id = id;
        _logId = logId;
        _isHeldBack = isHeldBack;
        _log = new(store, initial);
        Membership = _log.Memberships.Current;
        _voters = [.. Membership.Voters];
        _options = options;
        _random = random;
        _persistedHardState = hardState;
        Term = hardState.Term;
        VotedFor = hardState.VotedFor;
        CommitIndex = commitIndex;
        _commitHandedOut = commitIndex;
        Invariant.Check(commitIndex <= _log.LastIndex, "what is committed is in the log");
        Invariant.Check(commitIndex >= _log.BaseIndex, "what was cut off the log was committed and applied");
        ShortenElectionTimer();
    }

    public NodeId Id { get; }

    public Term Term { get; private set; }

    public NodeId? VotedFor { get; private set; }

    public Role Role { get; private set; } = Role.Follower;

    /// <summary>The leader of <see cref="Term"/> as far as this node knows.</summary>
    public NodeId? Leader { get; private set; }

    /// <summary>Everything up to here is committed for ever.</summary>
    public LogIndex CommitIndex { get; private set; }

    /// <summary>The last entry, written or not.</summary>
    public LogIndex LastIndex => _log.LastIndex;

    /// <summary>Whether <see cref="TakeReady"/> has anything to hand out.</summary>
    public bool HasReady =>
        !_readyTaken
        && (_earlyMessages.Count > 0
            || _messages.Count > 0
            || _reads.Count > 0
            || _snapshotWanted is not null
            || _log.Unstable.Count > 0
            || CommitIndex > _commitHandedOut
            || new HardState(Term, VotedFor) != _persistedHardState);

    /// <summary>
    /// Whether another node should lead rather than this one. It calls elections later then, by as much as the others take at most, so that one of
    /// them does first if it can. It votes as ever, and leads where nobody else does.
    /// </summary>
    public bool IsHesitant { get; set; }

    /// <summary>The ticks until one at which something may happen, that one included; at least 1. Those before it do nothing unless a message comes.</summary>
    public int TicksUntilDue => Math.Max(1, Role == Role.Leader
        ? Math.Min(_options.HeartbeatTicks - _heartbeatElapsed, _options.ElectionTimeoutTicksMin - _electionElapsed)
        : ElectionTimeoutTicks - _electionElapsed);

    private bool IsSingleVoter => _voters.Length == 1;

    private int ElectionTimeoutTicks => _electionTimeout + (IsHesitant ? _options.ElectionTimeoutTicksMax : 0);

    /// <summary>Lets one tick of time pass.</summary>
    public void Tick()
    {
        CheckNotBusy();
        _electionElapsed++;
        if (Role == Role.Leader)
        {
            TickLeader();
        }
        else if (_electionElapsed >= ElectionTimeoutTicks)
        {
            StartPreVote();
        }
    }

    /// <summary>Takes in a message from another node.</summary>
    public void Step(Message message)
    {
        CheckNotBusy();
        Invariant.Check(message.To == Id, "messages reach the node they are for");
        if (message.From == Id || (message is Answer answer && IsVoid(answer)))
        {
            return;
        }

        if (message.Term > Term && !StepHigherTerm(message))
        {
            return;
        }

        if (message.Term < Term)
        {
            AnswerLowerTerm(message);
            return;
        }

        switch (message)
        {
            case PreVote m:
                OnPreVote(m);
                break;
            case PreVoteResponse m:
                OnPreVoteResponse(m);
                break;
            case RequestVote m:
                OnRequestVote(m);
                break;
            case RequestVoteResponse m:
                OnRequestVoteResponse(m);
                break;
            case AppendEntries m:
                OnAppendEntries(m);
                break;
            case InstallSnapshot m:
                OnInstallSnapshot(m);
                break;
            case AppendEntriesAccepted m:
                OnAppendEntriesAccepted(m);
                break;
            case AppendEntriesRejected m:
                OnAppendEntriesRejected(m);
                break;
            case ReadIndexRequest m:
                OnReadIndexRequest(m);
                break;
            case ReadIndexResponse m:
                _reads.Add(new(m.Context, m.Index));
                break;
            case TimeoutNow:
                OnTimeoutNow();
                break;
            default:
                throw new InvariantViolationException($"every message has a rule, {message.GetType().Name} too");
        }
    }

    /// <summary>What must happen now; see <see cref="Ready"/> for the order. <see cref="Advance"/> must follow before the next.</summary>
    public Ready TakeReady()
    {
        CheckNotBusy();
        _readyTaken = true;
        var hardState = new HardState(Term, VotedFor);

        // Nothing that speaks for a term may go out before that is written: an only voter, which leads by nobody's vote but its own, would lead the
        // same term again after a crash, with other entries.
        var isTermWritten = hardState == _persistedHardState;
        var ready = new Ready
        {
            HardState = isTermWritten ? null : hardState,
            Entries = [.. _log.Unstable],
            EarlyMessages = isTermWritten ? [.. _earlyMessages] : [],
            Messages = isTermWritten ? [.. _messages] : [.. _earlyMessages, .. _messages],
            CommitIndex = CommitIndex,
            Reads = [.. _reads],
            SnapshotWanted = _snapshotWanted,
        };
        _persistedHardState = hardState;
        _commitHandedOut = CommitIndex;
        _earlyMessages.Clear();
        _messages.Clear();
        _reads.Clear();
        _snapshotWanted = null;
        return ready;
    }

    /// <summary>The owner has carried out the last <see cref="Ready"/>: what it held is on disk. No input may come in between.</summary>
    public void Advance()
    {
        Invariant.Check(_readyTaken, "Advance follows TakeReady");
        _readyTaken = false;
        _log.MarkStable();
        if (Role == Role.Leader)
        {
            AdvanceCommitIndex();
        }
    }

    /// <summary>Rules for a newer term (Raft §5.1, thesis §4.2.3, §9.6). False when the message must be ignored.</summary>
    private bool StepHigherTerm(Message message)
    {
        switch (message)
        {
            case PreVote:
            case PreVoteResponse { Granted: true }:
                // Their term is one that may come; nobody is in it yet.
                return true;
            case RequestVote { IsTransfer: false } when HearsLeader:
                // Someone who does not hear the leader must not depose it while others do.
                return false;
            case AppendEntries or InstallSnapshot:
                BecomeFollower(message.Term, message.From);
                return true;
            default:
                BecomeFollower(message.Term, null);
                return true;
        }
    }

    /// <summary>A sender whose term is over learns the current one; everything else from the past is dropped.</summary>
    private void AnswerLowerTerm(Message message)
    {
        switch (message)
        {
            case AppendEntries m:
                _messages.Add(new AppendEntriesRejected(Id, m.From, Term, _logId, m.PrevLogIndex, _log.LastIndex, _log.LastTerm, 0, MayVote));
                break;
            case InstallSnapshot m:
                _messages.Add(new AppendEntriesRejected(Id, m.From, Term, _logId, m.BaseIndex, _log.LastIndex, _log.LastTerm, 0, MayVote));
                break;
            case PreVote m:
                _messages.Add(new PreVoteResponse(Id, m.From, Term, _logId, Granted: false));
                break;
            case RequestVote m:
                _messages.Add(new RequestVoteResponse(Id, m.From, Term, _logId, Granted: false));
                break;
            default:
                break;
        }
    }

    private void CheckNotBusy() => Invariant.Check(!_readyTaken, "a Ready is carried out before anything else happens");

    /// <summary>A leader was heard of within the shortest election timeout, or this node is one.</summary>
    private bool HearsLeader =>
        Role == Role.Leader || (Leader is not null && _electionElapsed < _options.ElectionTimeoutTicksMin);

    private void BecomeFollower(Term term, NodeId? leader)
    {
        Invariant.Check(term >= Term, "terms never go back");
        if (term > Term)
        {
            Term = term;
            VotedFor = null;
        }

        Role = Role.Follower;
        Leader = leader;
        ResetElectionTimer();
        ForgetLeadership();
    }

    private void ResetElectionTimer()
    {
        _electionElapsed = 0;
        _electionTimeout = _random.Next(_options.ElectionTimeoutTicksMin, _options.ElectionTimeoutTicksMax);
    }

    /// <summary>
    /// For a node that knows of no leader. To ask for pre-votes deposes nobody, so there is no need to wait for as long as a leader may be silent: it has just
    /// started, or those whom it asked could not be reached yet, or had heard of a leader that is gone meanwhile (ADR 21).
    /// </summary>
    private void ShortenElectionTimer()
    {
        _electionElapsed = 0;
        _electionTimeout = IsSingleVoter && MayCampaign ? 1 : _random.Next(_options.HeartbeatTicks, _options.ElectionTimeoutTicksMin);
    }
}
