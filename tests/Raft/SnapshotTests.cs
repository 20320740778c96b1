using DistDb.Node.Raft;
using static DistDb.Tests.Raft.TestNode;

namespace DistDb.Tests.Raft;

/// <summary>Logs that begin behind a snapshot, and followers that only a snapshot can help (Raft §7).</summary>
public sealed class SnapshotTests
{
    // Raft §7: "the leader must occasionally send snapshots to followers that lag behind". Here it says so with its heartbeats: fetching takes longer.
    [Fact]
    public void A_leader_asks_for_a_snapshot_with_heartbeats_and_only_then()
    {
        var node = LeaderWhoseLogWasCut();

        node.Propose();
        node.Drain().Should().OnlyContain(m => m.To == A, "nothing can be sent to B");
        var heartbeats = node.Tick(DefaultOptions.HeartbeatTicks);

        heartbeats.Should().ContainSingle(m => m.To == B).Which.Should().Be(new InstallSnapshot(Me, B, new(2), new(4), 0));
        heartbeats.Should().ContainSingle(m => m.To == A).Which.Should().BeOfType<AppendEntries>();
    }

    [Fact]
    public void A_full_window_whose_entries_were_cut_off_gets_no_commits_told_in_between()
    {
        var node = new TestNode(options: DefaultOptions with { InflightMessagesMax = 1 });
        node.BecomeSettledLeader();
        for (var i = 0; i < 3; i++)
        {
            node.Propose();
        }

        node.Drain();
        node.Hear(Accepted(A, 1, 4));
        node.Disk.CutTo(new(4));
        node.Propose();
        node.Drain();

        node.Hear(Accepted(A, 1, 5)).Should().OnlyContain(m => m.To == A);
        node.Raft.CommitIndex.Should().Be(new LogIndex(5));
        node.Tick(DefaultOptions.HeartbeatTicks).OfType<InstallSnapshot>().Should().ContainSingle().Which.To.Should().Be(B);
    }

    [Fact]
    public void Entries_follow_as_soon_as_the_follower_has_the_base()
    {
        var node = LeaderWhoseLogWasCut();
        node.Propose();
        node.Drain();

        var sent = node.Hear(Accepted(B, 2, 4)).Should().ContainSingle().Which.Should().BeOfType<AppendEntries>().Subject;

        (sent.To, sent.PrevLogIndex, sent.PrevLogTerm, sent.Entries.Count).Should().Be((B, new LogIndex(4), new Term(2), 1));
    }

    [Fact]
    public void A_snapshot_further_than_the_base_is_continued_from_its_end()
    {
        var node = LeaderWhoseLogWasCut();
        node.Propose();
        node.Propose();
        node.Drain();

        node.Hear(Accepted(B, 2, 5)).OfType<AppendEntries>().First(m => m.To == B).PrevLogIndex.Should().Be(new LogIndex(5));
    }

    [Fact]
    public void A_follower_asks_its_owner_and_tells_where_its_log_ends()
    {
        var node = new TestNode(term: 3, log: [1, 1, 2]);

        var answer = node.Ask<AppendEntriesRejected>(Install(A, 3, 10, round: 7));

        (answer.PrevLogIndex, answer.HintIndex, answer.HintTerm, answer.ReadRound).Should().Be((new LogIndex(10), new LogIndex(3), new Term(2), 7L));
        node.SnapshotsWanted.Should().Equal(10);
        node.Hear(Install(A, 3, 12));
        node.SnapshotsWanted.Should().Equal([10, 12], "it is said again until a snapshot is there");
        node.DiskTerms.Should().Equal([1, 1, 2], "the owner decides what to do with them");
    }

    // Raft §5.2: a leader's heartbeat keeps its followers from calling elections.
    [Fact]
    public void It_counts_as_hearing_the_leader()
    {
        var node = new TestNode(term: 3);
        for (var i = 0; i < 10; i++)
        {
            node.Hear(Install(A, 3, 10));
            node.Tick(DefaultOptions.ElectionTimeoutTicksMin - 1).Should().BeEmpty();
        }

        node.Raft.Leader.Should().Be(A);
        node.Hear(VoteRequest(B, 4, 20, 3)).Should().BeEmpty("a leader is heard");
    }

    [Fact]
    public void A_candidate_that_hears_it_follows()
    {
        var node = new TestNode();
        node.BecomeCandidate();

        node.Hear(Install(A, 1, 10));

        (node.Raft.Role, node.Raft.Leader).Should().Be((Role.Follower, A));
    }

    [Fact]
    public void Its_answers_count_for_the_leaders_majority_and_for_reads()
    {
        var node = LeaderWhoseLogWasCut();
        for (var i = 0; i < 5; i++)
        {
            node.Tick(DefaultOptions.ElectionTimeoutTicksMin - 1);
            node.Hear(Rejected(B, 2, 4, 0, 0));
        }

        node.Raft.Role.Should().Be(Role.Leader, "B answers, though it has nothing");
        node.Raft.RequestRead(42).Should().BeTrue();
        var round = node.Drain().OfType<InstallSnapshot>().Should().ContainSingle().Which.ReadRound;
        node.Reads.Should().BeEmpty();
        node.Hear(Rejected(B, 2, 4, 0, 0, round));
        node.Reads.Should().Equal(new ReadState(42, new(4)));
    }

    [Fact]
    public void A_later_term_in_it_is_taken_over()
    {
        var node = new TestNode(term: 3);
        node.BecomeSettledLeader();

        node.Ask<AppendEntriesRejected>(Install(B, 9, 10)).Term.Should().Be(new Term(9));

        (node.Raft.Role, node.Raft.Leader, node.Disk.HardState.Term).Should().Be((Role.Follower, B, new Term(9)));
    }

    [Fact]
    public void An_old_leader_learns_that_its_term_is_over()
    {
        var node = new TestNode(term: 3, log: [1]);

        var answer = node.Ask<AppendEntriesRejected>(Install(A, 2, 10));

        answer.Term.Should().Be(new Term(3));
        node.SnapshotsWanted.Should().BeEmpty();
        node.Raft.Leader.Should().BeNull();
    }

    [Fact]
    public void Who_has_the_base_needs_no_snapshot()
    {
        var node = new TestNode(term: 3, log: [1, 1, 2, 2], commit: 3);

        node.Ask<AppendEntriesAccepted>(Install(A, 3, 3, round: 5)).Should().Be(new AppendEntriesAccepted(Me, A, new(3), MyLog, new(3), 5, MayVote: true));
        node.Ask<AppendEntriesAccepted>(Install(A, 3, 2)).MatchIndex.Should().Be(new LogIndex(3));

        node.SnapshotsWanted.Should().BeEmpty();
    }

    [Theory]
    [InlineData(5, 2, new long[] { })] // beyond the end
    [InlineData(3, 2, new long[] { })] // the end
    [InlineData(2, 1, new long[] { 2 })] // that very entry: what follows stays
    [InlineData(2, 2, new long[] { })] // another leader's: so is what follows
    public void An_installed_snapshot_is_committed_and_the_log_goes_on_behind_it(long index, long term, long[] tail)
    {
        var node = new TestNode(term: 3, log: [1, 1, 2]);
        node.Hear(Install(A, 3, 2));

        var answer = InstallOnDisk(node, index, term).Should().ContainSingle().Which.Should().BeOfType<AppendEntriesAccepted>().Subject;

        (answer.To, answer.MatchIndex).Should().Be((A, new LogIndex(index)));
        node.Raft.CommitIndex.Should().Be(new LogIndex(index));
        node.DiskTerms.Should().Equal(tail);
        node.Raft.LastIndex.Should().Be(new LogIndex(index + tail.Length));
        node.Ask<AppendEntriesAccepted>(Append(A, 3, index, term, Entries(index + 1, 3))).MatchIndex.Should().Be(new LogIndex(index + 1));
        node.DiskTerms.Should().Equal(3);
    }

    [Fact]
    public void A_snapshot_behind_the_commit_index_takes_nothing_back()
    {
        var node = new TestNode(term: 3, log: [1, 1, 2, 2], commit: 1);
        node.Hear(Append(A, 3, 4, 2, [], commit: 4));

        InstallOnDisk(node, 2, 1).Should().ContainSingle().Which.Should().BeOfType<AppendEntriesAccepted>().Which.MatchIndex.Should().Be(new LogIndex(4));

        node.Raft.CommitIndex.Should().Be(new LogIndex(4));
    }

    [Fact]
    public void A_snapshot_must_be_where_the_log_begins()
    {
        var node = new TestNode(term: 3, log: [1, 1, 2]);

        node.Raft.Invoking(r => r.SnapshotInstalled(new(4))).Should().Throw<InvariantViolationException>("the log does not reach there");
        node.Disk.CutTo(new(2));
        node.Raft.Invoking(r => r.SnapshotInstalled(new(1))).Should().Throw<InvariantViolationException>("the log begins behind it");
    }

    [Fact]
    public void A_snapshot_is_not_installed_while_entries_are_unwritten()
    {
        var node = new TestNode(term: 3, log: [1]);
        node.Raft.Step(Append(A, 3, 1, 1, Entries(2, 3)));

        node.Raft.Invoking(r => r.SnapshotInstalled(new(1))).Should().Throw<InvariantViolationException>();
    }

    // Raft §5.3: conflicts are looked for from the end; before the base there is nothing to look at.
    [Theory]
    [InlineData(0, 0)] // an empty log
    [InlineData(3, 1)] // before the base
    [InlineData(4, 2)] // just before the base
    [InlineData(5, 1)] // at the base, but another leader's entry
    [InlineData(9, 1)] // ahead of all of it, but another leader's
    public void Probing_ends_at_the_base(long hint, long hintTerm)
    {
        var node = new TestNode(term: 3, log: [3, 3], logBase: (5, 2), commit: 5);
        node.BecomeLeader();

        node.Hear(Rejected(A, 4, 7, hint, hintTerm)).Should().BeEmpty("what A needs is cut off");

        node.Tick(DefaultOptions.HeartbeatTicks).Single(m => m.To == A).Should().Be(new InstallSnapshot(Me, A, new(4), new(5), 0));
        node.Hear(Rejected(A, 4, 5, hint, hintTerm)).Should().BeEmpty("the next heartbeat says it again");
    }

    [Theory]
    [InlineData(5, 2, 5)]
    [InlineData(6, 2, 5)]
    [InlineData(6, 3, 6)]
    public void Probing_reaches_down_to_the_base(long hint, long hintTerm, long prev)
    {
        var node = new TestNode(term: 3, log: [3, 3], logBase: (5, 2), commit: 5);
        node.BecomeLeader();

        var probe = node.Hear(Rejected(A, 4, 7, hint, hintTerm)).Should().ContainSingle().Which.Should().BeOfType<AppendEntries>().Subject;

        (probe.PrevLogIndex, probe.Entries[0].Index).Should().Be((new LogIndex(prev), new LogIndex(prev + 1)));
    }

    [Fact]
    public void Late_answers_of_a_follower_with_a_snapshot_send_nobody_back()
    {
        var node = LeaderWhoseLogWasCut();
        node.Propose();
        node.AllAccept();

        node.Hear(Rejected(B, 2, 4, 0, 0)).Should().BeEmpty();
        node.Hear(Accepted(B, 2, 1)).Should().BeEmpty();
        node.Propose();

        node.Drain().OfType<AppendEntries>().Where(m => m.To == B).Should().ContainSingle().Which.PrevLogIndex.Should().Be(new LogIndex(5));
    }

    // Raft §5.4.1: the snapshot's place counts as the log's last entry where nothing follows.
    [Theory]
    [InlineData(4, 2, false)]
    [InlineData(9, 1, false)]
    [InlineData(5, 2, true)]
    [InlineData(4, 3, true)]
    public void Votes_compare_with_the_base(long last, long lastTerm, bool granted)
    {
        var node = new TestNode(term: 3, logBase: (5, 2), commit: 5);

        node.Ask<PreVoteResponse>(PreVoteRequest(A, 4, last, lastTerm)).Granted.Should().Be(granted);
        node.Ask<RequestVoteResponse>(VoteRequest(A, 4, last, lastTerm)).Granted.Should().Be(granted);
    }

    [Theory]
    [InlineData(5, 2, true)]
    [InlineData(3, 1, true)] // before the base: committed, so it matches
    [InlineData(6, 3, false)]
    public void The_base_is_compared_like_an_entry(long prev, long prevTerm, bool accepted)
    {
        var node = new TestNode(term: 3, logBase: (5, 2), commit: 5);

        var answer = node.Hear(Append(A, 3, prev, prevTerm, [])).Should().ContainSingle().Subject;

        if (accepted)
        {
            answer.Should().BeOfType<AppendEntriesAccepted>().Which.MatchIndex.Should().Be(new LogIndex(5));
        }
        else
        {
            var rejected = answer.Should().BeOfType<AppendEntriesRejected>().Subject;
            (rejected.HintIndex, rejected.HintTerm).Should().Be((new LogIndex(5), new Term(2)));
        }
    }

    [Fact]
    public void Entries_that_reach_from_before_the_base_are_taken_from_it_on()
    {
        var node = new TestNode(term: 3, logBase: (5, 2), commit: 5);

        node.Ask<AppendEntriesAccepted>(Append(A, 3, 3, 2, Entries(4, 2, 2, 3, 3))).MatchIndex.Should().Be(new LogIndex(7));

        node.Disk.Entries.Select(e => e.Index.Value).Should().Equal(6, 7);
    }

    [Fact]
    public void Who_begins_behind_a_snapshot_can_lead()
    {
        var node = new TestNode(term: 3, logBase: (5, 2), commit: 5);

        var sent = node.BecomeLeader().OfType<AppendEntries>().ToList();

        sent.Should().OnlyContain(m => m.PrevLogIndex == new LogIndex(5) && m.PrevLogTerm == new Term(2));
        sent.Select(m => m.Entries.Single().Index.Value).Should().Equal(6, 6);
        node.AllAccept();
        node.Raft.CommitIndex.Should().Be(new LogIndex(6));
    }

    [Fact]
    public void A_leaders_log_is_cut_while_entries_are_under_way()
    {
        var node = new TestNode();
        node.BecomeSettledLeader();
        node.Propose();
        node.Propose();
        node.Drain();
        node.Hear(Accepted(A, 1, 3));
        node.Disk.CutTo(new(3));

        node.Hear(Accepted(B, 1, 2)).Should().BeEmpty("3 is under way to it");
        node.Propose();
        node.Drain().OfType<AppendEntries>().Where(m => m.To == B).Should().ContainSingle().Which.PrevLogIndex.Should().Be(new LogIndex(3));

        // 3 was lost, and is gone.
        node.Hear(Rejected(B, 1, 3, 2, 1)).Should().BeEmpty();
        node.Tick(DefaultOptions.HeartbeatTicks).Single(m => m.To == B).Should().BeOfType<InstallSnapshot>().Which.BaseIndex.Should().Be(new LogIndex(3));
    }

    [Fact]
    public void A_log_cannot_begin_behind_what_is_known_to_be_committed()
    {
        FluentActions.Invoking(() => new TestNode(term: 3, logBase: (5, 2), commit: 4)).Should().Throw<InvariantViolationException>();
    }

    private static InstallSnapshot Install(NodeId from, long term, long index, long round = 0) => new(from, Me, new(term), new(index), round);

    private static AppendEntriesRejected Rejected(NodeId from, long term, long prev, long hint, long hintTerm, long round = 0) =>
        new(from, Me, new(term), LogOf(from), new(prev), new(hint), new(hintTerm), round, MayVote: true);

    private static List<Message> InstallOnDisk(TestNode node, long index, long term)
    {
        node.Disk.InstallBase(new(index), new(term));
        node.Raft.SnapshotInstalled(new(index));
        return node.Drain();
    }

    /// <summary>Leads term 2 with an empty log behind 4, everything committed; A has all, B has nothing and needs what was cut off.</summary>
    private static TestNode LeaderWhoseLogWasCut()
    {
        var node = new TestNode(term: 1, log: [1, 1, 1]);
        node.BecomeLeader();
        node.Hear(Accepted(A, 2, 4));
        node.Hear(Rejected(B, 2, 3, 0, 0));
        node.Disk.CutTo(new(4));
        return node;
    }
}
