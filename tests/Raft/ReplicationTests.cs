using DistDb.Node.Raft;
using static DistDb.Tests.Raft.TestNode;

namespace DistDb.Tests.Raft;

public sealed class ReplicationTests
{
    // Raft §8 and §5.4.2: "each leader commit[s] a blank no-op entry into the log at the start of its term".
    [Fact]
    public void A_leader_begins_its_term_with_a_no_op()
    {
        var node = new TestNode(term: 4, log: [1, 4]);

        var sent = node.BecomeLeader();

        node.Disk.Entries[^1].Should().Be(new Entry(new(3), new(5), EntryKind.NoOp, default));
        sent.OfType<AppendEntries>().Select(m => (m.To, m.PrevLogIndex.Value, m.PrevLogTerm.Value, m.Entries.Single().Kind))
            .Should().Equal((A, 2, 4, EntryKind.NoOp), (B, 2, 4, EntryKind.NoOp));
    }

    // Raft §5.2: leaders "send periodic heartbeats (AppendEntries RPCs that carry no log entries) to all followers".
    [Fact]
    public void Heartbeats_go_to_everybody_at_their_interval()
    {
        var node = new TestNode();
        node.BecomeSettledLeader();

        for (var i = 0; i < 3; i++)
        {
            node.Tick().Should().BeEmpty();
            var heartbeats = node.Tick().Cast<AppendEntries>().ToList();
            heartbeats.Select(m => m.To).Should().Equal(A, B);
            heartbeats.Should().OnlyContain(m => m.Entries.Count == 0 && m.PrevLogIndex == new LogIndex(1) && m.LeaderCommit == new LogIndex(1) && m.WantsAnswer);
        }
    }

    // Raft §5.3: "If a follower does not find an entry in its log with the same index and term, then it refuses the new entries."
    [Theory]
    [InlineData(0, 0, true)]
    [InlineData(2, 1, true)]
    [InlineData(3, 2, true)]
    [InlineData(2, 2, false)]
    [InlineData(3, 1, false)]
    [InlineData(4, 2, false)]
    public void The_log_must_match_before_the_new_entries(long prev, long prevTerm, bool accepted)
    {
        var node = new TestNode(term: 3, log: [1, 1, 2]);

        var answer = node.Hear(Append(A, 3, prev, prevTerm, [])).Single();

        answer.Should().BeOfType(accepted ? typeof(AppendEntriesAccepted) : typeof(AppendEntriesRejected));
        node.DiskTerms.Should().Equal(1, 1, 2);
    }

    // Raft §5.3: "if an existing entry conflicts with a new one (same index but different terms), delete the existing entry and all that
    // follow it". Figure 7's followers become the leader's copy.
    [Theory]
    [InlineData(new long[] { 1, 1, 1, 4, 4, 5, 5, 6, 6 })]
    [InlineData(new long[] { 1, 1, 1, 4 })]
    [InlineData(new long[] { 1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6 })]
    [InlineData(new long[] { 1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7 })]
    [InlineData(new long[] { 1, 1, 1, 4, 4, 4, 4 })]
    [InlineData(new long[] { 1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3 })]
    public void Conflicting_entries_are_replaced(long[] log)
    {
        long[] leaderLog = [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 8];
        var node = new TestNode(term: 8, log: log);
        var prev = leaderLog.Length - 1;
        while (node.Hear(Append(A, 8, prev, prev == 0 ? 0 : leaderLog[prev - 1], Entries(prev + 1, leaderLog[prev..])))
            .Single() is AppendEntriesRejected)
        {
            prev--;
        }

        node.DiskTerms.Should().Equal(leaderLog);
    }

    // Raft §5.3: only a conflict deletes; a message that was delayed or doubled says nothing about what came after it.
    [Fact]
    public void Old_messages_cut_nothing_off()
    {
        var node = new TestNode(term: 1);
        node.Hear(Append(A, 1, 0, 0, Entries(1, 1, 1, 1)));

        node.Ask<AppendEntriesAccepted>(Append(A, 1, 0, 0, Entries(1, 1))).MatchIndex.Should().Be(new LogIndex(1));
        node.Ask<AppendEntriesAccepted>(Append(A, 1, 0, 0, [])).MatchIndex.Should().Be(LogIndex.Zero);
        node.Ask<AppendEntriesAccepted>(Append(A, 1, 1, 1, Entries(2, 1))).MatchIndex.Should().Be(new LogIndex(2));

        node.DiskTerms.Should().Equal(1, 1, 1);
    }

    // Raft §5.3: replacing works as well among entries that are not on disk yet.
    [Fact]
    public void Unwritten_entries_are_replaced_too()
    {
        var node = new TestNode(term: 1, log: [1]);
        node.Raft.Step(Append(A, 1, 1, 1, Entries(2, 1, 1, 1)));
        node.Raft.Step(Append(B, 2, 2, 1, Entries(3, 2)));

        var ready = node.Raft.TakeReady();

        ready.Entries.Select(e => (e.Index.Value, e.Term.Value)).Should().Equal((2, 1), (3, 2));
    }

    // Raft §5.3: what is committed is never replaced, so nobody even looks at it.
    [Fact]
    public void Committed_entries_are_never_touched()
    {
        var node = new TestNode(term: 3, log: [1, 1, 2], commit: 3);

        node.Ask<AppendEntriesAccepted>(Append(A, 3, 0, 0, Entries(1, 1))).MatchIndex.Should().Be(new LogIndex(3), "committed means matching");

        node.DiskTerms.Should().Equal(1, 1, 2);
    }

    // Raft Figure 2: "set commitIndex = min(leaderCommit, index of last new entry)": what lies behind may be another's.
    [Fact]
    public void A_follower_commits_only_what_it_knows_to_match()
    {
        var node = new TestNode(term: 2, log: [1, 1, 1]);

        node.Hear(Append(A, 2, 1, 1, [], commit: 3));
        node.Raft.CommitIndex.Should().Be(new LogIndex(1));
        node.Hear(Append(A, 2, 1, 1, Entries(2, 2), commit: 3));
        node.Raft.CommitIndex.Should().Be(new LogIndex(2));
        node.Hear(Append(A, 2, 0, 0, [], commit: 1));
        node.Raft.CommitIndex.Should().Be(new LogIndex(2), "it never goes back");
    }

    // Heartbeats and entries are answered: so a leader knows who is there, and what it has.
    [Fact]
    public void What_only_tells_of_a_commit_is_not_answered()
    {
        var node = new TestNode(term: 1, log: [1, 1]);

        node.Hear(Append(A, 1, 2, 1, [], commit: 2, wantsAnswer: false)).Should().BeEmpty();

        node.Raft.CommitIndex.Should().Be(new LogIndex(2));
    }

    // The leader may not know yet that it has to send more.
    [Fact]
    public void What_only_tells_of_a_commit_is_refused_where_the_log_does_not_match()
    {
        var node = new TestNode(term: 1, log: [1]);

        node.Ask<AppendEntriesRejected>(Append(A, 1, 2, 1, [], commit: 2, wantsAnswer: false)).HintIndex.Should().Be(new LogIndex(1));

        node.Raft.CommitIndex.Should().Be(LogIndex.Zero);
    }

    // Raft §5.3: "A log entry is committed once the leader that created the entry has replicated it on a majority of the servers."
    [Fact]
    public void An_entry_is_committed_by_a_majority()
    {
        var node = new TestNode(voterCount: 5);
        node.BecomeLeader();
        node.Raft.CommitIndex.Should().Be(LogIndex.Zero);

        node.Hear(Accepted(A, 1, 1));
        node.Hear(Accepted(A, 1, 1));
        node.Raft.CommitIndex.Should().Be(LogIndex.Zero, "one follower counts once");
        node.Hear(Accepted(D, 1, 1));
        node.Raft.CommitIndex.Should().Be(new LogIndex(1));
    }

    // Raft §5.4.2, Figure 8: "only log entries from the leader's current term are committed by counting replicas".
    [Fact]
    public void An_earlier_terms_entry_is_not_committed_by_counting()
    {
        var node = new TestNode(term: 4, log: [1, 2]);
        node.BecomeLeader();

        node.Hear(Accepted(A, 5, 2));
        node.Hear(Accepted(B, 5, 2));
        node.Raft.CommitIndex.Should().Be(LogIndex.Zero, "entry 2 of term 2 is everywhere, yet another leader could still replace it");

        node.Hear(Accepted(A, 5, 3));
        node.Raft.CommitIndex.Should().Be(new LogIndex(3), "with the first entry of its own term all before it are committed");
    }

    // Raft §5.3: followers learn the commit index with the next AppendEntries; here at once, since their clients wait for it.
    [Fact]
    public void A_commit_is_told_at_once()
    {
        var node = new TestNode();
        node.BecomeSettledLeader();
        node.Propose();
        node.Drain();

        var told = node.Hear(Accepted(A, 1, 2)).Cast<AppendEntries>().ToList();

        told.Select(m => m.To).Should().Equal(A, B);
        told.Should().OnlyContain(m => m.LeaderCommit == new LogIndex(2) && m.Entries.Count == 0 && !m.WantsAnswer);
        node.Hear(Accepted(B, 1, 2)).Should().BeEmpty("it was told");
        node.Hear(Accepted(A, 1, 2)).Should().BeEmpty();
    }

    // No rule of the paper's: a disk was replaced by an empty one, and the node that had confirmed everything has nothing.
    [Fact]
    public void A_follower_that_lost_its_log_learns_everything_again()
    {
        var node = new TestNode();
        node.BecomeSettledLeader();
        node.Propose();
        node.AllAccept();

        var probe = node.Hear(new AppendEntriesRejected(A, Me, new(1), LogOf(A), new(2), new(0), new(0), 0, MayVote: true)).OfType<AppendEntries>().Single(m => m.To == A);

        (probe.PrevLogIndex.Value, probe.Entries.Count).Should().Be((0, 2));
        node.Raft.FollowerProgress.Single(f => f.Id == A).MatchIndex.Should().Be(LogIndex.Zero);
        node.Hear(Accepted(A, 1, 2));
        node.Raft.FollowerProgress.Single(f => f.Id == A).MatchIndex.Should().Be(new LogIndex(2));
        node.Raft.CommitIndex.Should().Be(new LogIndex(2));
    }

    // Raft §5.3: "the leader decrements nextIndex and retries"; "one entry per conflicting term" is skipped over at once, on both sides.
    [Fact]
    public void A_hint_skips_terms()
    {
        var node = new TestNode(term: 6, log: [1, 1, 2, 2, 2, 5, 5]);
        node.BecomeLeader();

        // The follower has [1, 1, 3, 3, 3, 4]: for (7, 5) its last possible match is (6, 4).
        var retry = node.Hear(new AppendEntriesRejected(A, Me, new(7), LogOf(A), new(7), new(6), new(4), 0, MayVote: true)).Should().ContainSingle().Subject;
        retry.Should().BeOfType<AppendEntries>().Which.PrevLogIndex.Should().Be(new LogIndex(5), "the leader's last entry of term 4 or less");

        // For (5, 2) it says (2, 1).
        retry = node.Hear(new AppendEntriesRejected(A, Me, new(7), LogOf(A), new(5), new(2), new(1), 0, MayVote: true)).Should().ContainSingle().Subject;
        retry.Should().BeOfType<AppendEntries>().Which.PrevLogIndex.Should().Be(new LogIndex(2));
        ((AppendEntries)retry).Entries.Select(e => e.Term.Value).Should().Equal(2, 2, 2, 5, 5, 7);
    }

    // Raft §5.3: the follower's side of it.
    [Theory]
    [InlineData(9, 5, 6, 4)]
    [InlineData(6, 3, 5, 3)]
    [InlineData(4, 2, 2, 1)]
    [InlineData(6, 2, 2, 1)]
    [InlineData(1, 0, 0, 0)]
    public void A_follower_hints_where_its_log_may_agree(long prev, long prevTerm, long hint, long hintTerm)
    {
        var node = new TestNode(term: 6, log: [1, 1, 3, 3, 3, 4]);

        node.Ask<AppendEntriesRejected>(Append(A, 6, prev, prevTerm, [], round: 3)).Should()
            .Be(new AppendEntriesRejected(Me, A, new(6), MyLog, new(prev), new(hint), new(hintTerm), 3, MayVote: true));
    }

    // Raft §5.3: a refusal that comes late says nothing about what was sent since.
    [Fact]
    public void A_late_refusal_is_ignored()
    {
        var node = new TestNode(term: 6, log: [1, 1, 1, 1]);
        node.BecomeLeader();
        node.Hear(new AppendEntriesRejected(A, Me, new(7), LogOf(A), new(4), new(2), new(1), 0, MayVote: true)).Should().ContainSingle();

        node.Hear(new AppendEntriesRejected(A, Me, new(7), LogOf(A), new(4), new(2), new(1), 0, MayVote: true)).Should().BeEmpty("doubled, while the retry is out");
        node.Hear(Accepted(A, 7, 5));
        node.Hear(new AppendEntriesRejected(A, Me, new(7), LogOf(A), new(2), new(1), new(1), 0, MayVote: true)).Should().BeEmpty("before what is known to match");
    }

    // Raft §5.3: "the leader retries AppendEntries RPCs indefinitely". A probe that was lost is tried again with the next heartbeat's answer.
    [Fact]
    public void A_lost_probe_is_repeated()
    {
        var node = new TestNode(log: [1], term: 1);
        node.BecomeLeader();
        node.Propose();
        node.Drain().OfType<AppendEntries>().Should().BeEmpty("the probe with the no-op is out");

        node.Tick(DefaultOptions.HeartbeatTicks).OfType<AppendEntries>().Should().OnlyContain(m => m.Entries.Count == 0);
        var sent = node.Hear(Accepted(A, 2, 1)).OfType<AppendEntries>().Single();

        sent.Entries.Select(e => e.Index.Value).Should().Equal(2, 3);
    }

    // Raft §5.3: entries that were lost on the way are found missing by the next heartbeat and sent again.
    [Fact]
    public void Lost_entries_are_sent_again()
    {
        var node = new TestNode();
        node.BecomeSettledLeader();
        node.Propose();
        node.Propose();
        node.Drain().OfType<AppendEntries>().Count(m => m.To == A).Should().Be(2);

        var heartbeat = node.Tick(DefaultOptions.HeartbeatTicks).OfType<AppendEntries>().First(m => m.To == A);
        heartbeat.PrevLogIndex.Should().Be(new LogIndex(3));
        var again = node.Hear(new AppendEntriesRejected(A, Me, new(1), LogOf(A), new(3), new(1), new(1), 0, MayVote: true)).OfType<AppendEntries>().Single();

        again.PrevLogIndex.Should().Be(new LogIndex(1));
        again.Entries.Should().HaveCount(2);
    }

    // Thesis §10.2.1: entries are pipelined once the logs are known to match, but within a window.
    [Fact]
    public void Pipelining_keeps_to_its_window()
    {
        var node = new TestNode(options: DefaultOptions with { InflightMessagesMax = 3 });
        node.BecomeSettledLeader();
        for (var i = 0; i < 5; i++)
        {
            node.Propose().Should().BeTrue();
        }

        node.Drain().OfType<AppendEntries>().Where(m => m.To == A).Select(m => m.Entries.Single().Index.Value).Should().Equal(2, 3, 4);

        node.Hear(Accepted(A, 1, 2)).OfType<AppendEntries>().Where(m => m.To == A && m.Entries.Count > 0)
            .SelectMany(m => m.Entries.Select(e => e.Index.Value)).Should().Equal([5, 6], "what waits goes together");
    }

    // Raft §5.3: while it is not known where the logs agree, one message at a time.
    [Fact]
    public void Probing_sends_one_message_at_a_time()
    {
        var node = new TestNode();
        node.BecomeLeader();

        node.Propose();
        node.Propose();

        node.Drain().Should().BeEmpty();
    }

    // The limit on messages: bytes of entries, but always one entry.
    [Fact]
    public void Messages_keep_to_their_byte_limit()
    {
        var node = new TestNode(options: DefaultOptions with { AppendBytesMax = 100 });
        node.BecomeLeader();
        foreach (var bytes in new[] { 60, 40, 1, 500, 50 })
        {
            node.Propose(bytes);
        }

        node.Drain();
        var sent = node.Hear(Accepted(A, 1, 1)).OfType<AppendEntries>().Where(m => m.To == A && m.Entries.Count > 0);

        sent.Select(m => string.Join(' ', m.Entries.Select(e => e.Data.Length))).Should().Equal("60 40", "1", "500", "50");
    }

    // Raft §5.3 with determinism of the owner's: a proposal is for one term and one index, or it is nothing.
    [Fact]
    public void A_proposal_must_fit_term_and_index()
    {
        var node = new TestNode(term: 1);
        node.Raft.TryPropose(new(1), new(1), default).Should().BeFalse("a follower has no say");
        node.BecomeLeader();

        node.Raft.TryPropose(new(1), new(2), default).Should().BeFalse();
        node.Raft.TryPropose(new(2), new(1), default).Should().BeFalse();
        node.Raft.TryPropose(new(2), new(3), default).Should().BeFalse();
        node.Raft.LastIndex.Should().Be(new LogIndex(1));
        node.Raft.TryPropose(new(2), new(2), default).Should().BeTrue();
        node.Raft.TryPropose(new(2), new(2), default).Should().BeFalse("the place is taken");
        node.Raft.LastIndex.Should().Be(new LogIndex(2));
    }

    // Raft §5.1 (election safety): two leaders in one term cannot be; a node that sees them stops.
    [Fact]
    public void A_second_leader_in_a_term_is_a_broken_invariant()
    {
        var follower = new TestNode(term: 1);
        follower.Hear(Append(A, 1, 0, 0, []));
        follower.Invoking(n => n.Hear(Append(B, 1, 0, 0, []))).Should().Throw<InvariantViolationException>();

        var leader = new TestNode();
        leader.BecomeLeader();
        leader.Invoking(n => n.Hear(Append(B, 1, 0, 0, []))).Should().Throw<InvariantViolationException>();
    }

    // Raft §5.3: a follower that claims more than the leader has lies.
    [Fact]
    public void A_match_beyond_the_log_is_a_broken_invariant()
    {
        var node = new TestNode();
        node.BecomeLeader();

        node.Invoking(n => n.Hear(Accepted(A, 1, 2))).Should().Throw<InvariantViolationException>();
    }
}
