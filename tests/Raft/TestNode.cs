using DistDb.Node.Raft;

namespace DistDb.Tests.Raft;

/// <summary>Node 0 of a cluster whose other nodes are the test itself: it hears what the test says and hands over what it answers.</summary>
internal sealed class TestNode
{
    public static readonly NodeId Me = new(0);
    public static readonly NodeId A = new(1);
    public static readonly NodeId B = new(2);
    public static readonly NodeId C = new(3);
    public static readonly NodeId D = new(4);

    public static readonly RaftOptions DefaultOptions = new()
    {
        HeartbeatTicks = 2,
        ElectionTimeoutTicksMin = 10,
        ElectionTimeoutTicksMax = 20,
    };

    /// <summary>The identity of this node's log.</summary>
    public const ulong MyLog = 100;

    /// <param name="voterCount">How many nodes vote, this one included.</param>
    /// <param name="term">Its term when it starts.</param>
    /// <param name="votedFor">Its vote in that term.</param>
    /// <param name="log">The terms of the entries on its disk.</param>
    /// <param name="logBase">Where the log begins and which term that has, when it was cut.</param>
    /// <param name="commit">What it knows to be committed.</param>
    /// <param name="options">Limits other than <see cref="DefaultOptions"/>.</param>
    /// <param name="seed">Of its election timeouts.</param>
    /// <param name="initial">Who belongs to the cluster at first, if not just voters.</param>
    /// <param name="isHeldBack">Whether its log is new and not released.</param>
    /// <param name="entries">What is on its disk, if terms do not say it all.</param>
    public TestNode(
        int voterCount = 3,
        long term = 0,
        NodeId? votedFor = null,
        long[]? log = null,
        long commit = 0,
        (long Index, long Term) logBase = default,
        RaftOptions? options = null,
        int seed = 1,
        Membership? initial = null,
        bool isHeldBack = false,
        Entry[]? entries = null)
    {
        Disk.InstallBase(new(logBase.Index), new(logBase.Term));
        Disk.Write(new HardState(new(term), votedFor), entries ?? Entries(logBase.Index + 1, log ?? []));
        initial ??= Membership.OfVoters(Enumerable.Range(0, voterCount).Select(i => new NodeId(i)));
        Raft = new(Me, MyLog, initial, isHeldBack, Disk.HardState, Disk, new(commit), options ?? DefaultOptions, new(seed));
    }

    public RaftNode Raft { get; }

    public MemoryLogStore Disk { get; } = new();

    /// <summary>Reads confirmed so far.</summary>
    public List<ReadState> Reads { get; } = [];

    /// <summary>Snapshots asked for so far, by the least index that they must reach.</summary>
    public List<long> SnapshotsWanted { get; } = [];

    public IEnumerable<long> DiskTerms => Disk.Entries.Select(e => e.Term.Value);

    /// <summary>Entries from index <paramref name="from"/> on with the given terms.</summary>
    public static Entry[] Entries(long from, params long[] terms) => [.. terms.Select((t, i) => Entry(from + i, t))];

    public static Entry Entry(long index, long term, int bytes = 1) => new(new(index), new(term), EntryKind.Command, new byte[bytes]);

    public static Entry Configuration(long index, long term, Membership membership) =>
        new(new(index), new(term), EntryKind.Configuration, MembershipCodec.Encode(membership));

    /// <summary>Voters whose logs have the identities 100, 101 and so on, this node's first.</summary>
    public static Membership Voters(int count) =>
        new(Enumerable.Range(0, count).Select(i => new Member(new(i), IsVoter: true, LogOf(new(i)), "")));

    public static Member Voter(NodeId id, ulong logId) => new(id, IsVoter: true, logId, "");

    public static Member Learner(NodeId id, ulong logId) => new(id, IsVoter: false, logId, "");

    public static AppendEntries Append(
        NodeId from, long term, long prev, long prevTerm, Entry[] entries, long commit = 0, long round = 0, bool wantsAnswer = true) =>
        new(from, Me, new(term), new(prev), new(prevTerm), entries, new(commit), round, wantsAnswer);

    /// <summary>The identity of a node's log, if it has not lost that: as <see cref="Voters"/> has it.</summary>
    public static ulong LogOf(NodeId node) => MyLog + (ulong)node.Value;

    public static AppendEntriesAccepted Accepted(NodeId from, long term, long match, long round = 0, bool mayVote = true, ulong? logId = null) =>
        new(from, Me, new(term), logId ?? LogOf(from), new(match), round, mayVote);

    public static RequestVote VoteRequest(NodeId from, long term, long last = 0, long lastTerm = 0, bool isTransfer = false) =>
        new(from, Me, new(term), new(last), new(lastTerm), isTransfer);

    public static RequestVoteResponse Vote(NodeId from, long term, bool granted = true, ulong? logId = null) =>
        new(from, Me, new(term), logId ?? LogOf(from), granted);

    public static PreVote PreVoteRequest(NodeId from, long term, long last = 0, long lastTerm = 0) => new(from, Me, new(term), new(last), new(lastTerm));

    public static PreVoteResponse PreVoteAnswer(NodeId from, long term, bool granted = true, ulong? logId = null) =>
        new(from, Me, new(term), logId ?? LogOf(from), granted);

    /// <summary>Does what the core asks for until it asks for nothing; returns every message, in the order in which they leave.</summary>
    public List<Message> Drain()
    {
        var sent = new List<Message>();
        while (Raft.HasReady)
        {
            var ready = Raft.TakeReady();
            sent.AddRange(ready.EarlyMessages);
            Disk.Write(ready.HardState, ready.Entries);
            sent.AddRange(ready.Messages);
            Raft.Advance();
            Reads.AddRange(ready.Reads);
            if (ready.SnapshotWanted is { } index)
            {
                SnapshotsWanted.Add(index.Value);
            }
        }

        return sent;
    }

    /// <summary>Takes one message in and returns what it leads to.</summary>
    public List<Message> Hear(Message message)
    {
        Raft.Step(message);
        return Drain();
    }

    /// <summary>The only answer to one message.</summary>
    public T Ask<T>(Message message)
        where T : Message => Hear(message).Should().ContainSingle().Which.Should().BeOfType<T>().Subject;

    public List<Message> Tick(int count = 1)
    {
        var sent = new List<Message>();
        for (var i = 0; i < count; i++)
        {
            Raft.Tick();
            sent.AddRange(Drain());
        }

        return sent;
    }

    /// <summary>Lets time pass until the node asks for pre-votes.</summary>
    public List<Message> TimeOut()
    {
        for (var i = 0; i < 2 * DefaultOptions.ElectionTimeoutTicksMax; i++)
        {
            var sent = Tick();
            if (sent.OfType<PreVote>().Any() || Raft.Role == Role.Leader)
            {
                return sent;
            }
        }

        throw new InvalidOperationException("The node did not time out.");
    }

    /// <summary>Wins the pre-vote and asks for votes.</summary>
    public List<Message> BecomeCandidate()
    {
        TimeOut();
        var sent = new List<Message>();
        foreach (var voter in Majority())
        {
            sent.AddRange(Hear(PreVoteAnswer(voter, Raft.Term.Value + 1)));
        }

        Raft.Role.Should().Be(Role.Candidate);
        return sent;
    }

    /// <summary>Wins an election; its no-op is sent but not acknowledged.</summary>
    public List<Message> BecomeLeader()
    {
        BecomeCandidate();
        var sent = new List<Message>();
        foreach (var voter in Majority())
        {
            sent.AddRange(Hear(Vote(voter, Raft.Term.Value)));
        }

        Raft.Role.Should().Be(Role.Leader);
        return sent;
    }

    /// <summary>Wins an election, and everybody has everything that it has.</summary>
    public void BecomeSettledLeader()
    {
        BecomeLeader();
        AllAccept();
        Raft.CommitIndex.Should().Be(Raft.LastIndex);
    }

    public void AllAccept()
    {
        foreach (var member in Raft.Membership.Members.Where(m => m.Id != Me))
        {
            Hear(Accepted(member.Id, Raft.Term.Value, Raft.LastIndex.Value, logId: member.LogId == 0 ? null : member.LogId));
        }
    }

    public bool Propose(int bytes = 1) => Raft.TryPropose(Raft.Term, Raft.LastIndex.Next, new byte[bytes]);

    public bool ProposeMembership(Membership membership) => Raft.TryProposeMembership(Raft.Term, Raft.LastIndex.Next, membership);

    /// <summary>Makes a membership the one in force, committed and known to everybody.</summary>
    public void Settle(Membership membership)
    {
        ProposeMembership(membership).Should().BeTrue();
        AllAccept();
        AllAccept();
        Raft.CommitIndex.Should().Be(Raft.LastIndex);
    }

    // Enough others to make a majority with this node.
    private IEnumerable<NodeId> Majority() => Raft.Membership.Voters.Where(v => v != Me).Take(Raft.Membership.Voters.Count() / 2);
}
