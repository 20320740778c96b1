using DistDb.Node.Raft;
using static DistDb.Tests.Raft.TestNode;

namespace DistDb.Tests.Raft;

public sealed class ElectionTests
{
    // Raft §5.1: "If one server's current term is smaller than the other's, then it updates its current term to the larger value."
    [Theory]
    [InlineData(Role.Follower)]
    [InlineData(Role.Candidate)]
    [InlineData(Role.Leader)]
    public void A_higher_term_is_taken_over_and_makes_a_follower(Role role)
    {
        var node = InRole(role);

        node.Hear(Append(A, 9, 0, 0, []));

        node.Raft.Term.Should().Be(new Term(9));
        node.Raft.Role.Should().Be(Role.Follower);
        node.Raft.Leader.Should().Be(A);
        node.Raft.VotedFor.Should().BeNull();
        node.Disk.HardState.Should().Be(new HardState(new(9), null));
    }

    // Raft §5.1: "If a server receives a request with a stale term number, it rejects the request." Its sender learns the current term.
    [Fact]
    public void A_lower_term_is_refused_and_told_the_current_one()
    {
        var node = new TestNode(term: 5);

        node.Ask<AppendEntriesRejected>(Append(A, 4, 0, 0, Entries(1, 4))).Term.Should().Be(new Term(5));
        node.Ask<RequestVoteResponse>(VoteRequest(A, 4)).Should().Be(new RequestVoteResponse(Me, A, new(5), MyLog, Granted: false));
        node.Ask<PreVoteResponse>(PreVoteRequest(A, 4)).Should().Be(new PreVoteResponse(Me, A, new(5), MyLog, Granted: false));
        node.Raft.LastIndex.Should().Be(LogIndex.Zero);
        node.Raft.Leader.Should().BeNull();
    }

    // Raft §5.1: answers and orders from a term that is over mean nothing any more.
    [Fact]
    public void Answers_of_a_lower_term_are_dropped()
    {
        var node = new TestNode(term: 5);
        node.BecomeCandidate();

        node.Hear(Vote(A, 5)).Should().BeEmpty();
        node.Hear(Accepted(A, 5, 1)).Should().BeEmpty();
        node.Hear(new TimeoutNow(A, Me, new(5))).Should().BeEmpty();
        node.Hear(new ReadIndexResponse(A, Me, new(5), 1, new(1))).Should().BeEmpty();

        node.Raft.Role.Should().Be(Role.Candidate);
        node.Reads.Should().BeEmpty();
    }

    // Raft §5.2: "When servers start up, they begin as followers", and stay so "as long as [they receive] valid RPCs from a leader".
    [Fact]
    public void A_node_starts_as_follower_and_stays_one_while_it_hears_its_leader()
    {
        var node = new TestNode(term: 1);
        node.Raft.Role.Should().Be(Role.Follower);

        for (var i = 0; i < 20; i++)
        {
            node.Hear(Append(A, 1, 0, 0, []));
            node.Tick(DefaultOptions.ElectionTimeoutTicksMin - 1).Should().BeEmpty();
        }

        node.Raft.Role.Should().Be(Role.Follower);
        node.Raft.Leader.Should().Be(A);
    }

    // So that the owner of an idle node need not wake for every tick.
    [Theory]
    [InlineData(Role.Follower, false)]
    [InlineData(Role.Follower, true)]
    [InlineData(Role.PreCandidate, false)]
    [InlineData(Role.Candidate, false)]
    [InlineData(Role.Candidate, true)]
    [InlineData(Role.Leader, false)]
    public void Nothing_happens_at_ticks_before_the_one_that_is_due(Role role, bool isHesitant)
    {
        for (var seed = 1; seed <= 20; seed++)
        {
            var node = InRole(role, seed);
            node.Raft.IsHesitant = isHesitant;
            for (var i = 0; i < 5 && node.Raft.Role == role; i++)
            {
                var due = node.Raft.TicksUntilDue;
                due.Should().BePositive();
                node.Tick(due - 1).Should().BeEmpty();
                node.Raft.Role.Should().Be(role);
                node.Raft.TicksUntilDue.Should().Be(1);
                var sent = node.Tick();
                (sent.Count > 0 || node.Raft.Role != role).Should().BeTrue("it was due");
            }
        }
    }

    [Fact]
    public void Part_of_a_message_from_the_leader_postpones_an_election_and_from_others_none()
    {
        var node = new TestNode(term: 1);
        node.Hear(Append(A, 1, 0, 0, []));
        for (var i = 0; i < 20; i++)
        {
            node.Raft.HearPart(A);
            node.Tick(DefaultOptions.ElectionTimeoutTicksMin - 1).Should().BeEmpty();
        }

        node.Raft.Leader.Should().Be(A);
        for (var i = 0; node.Raft.Leader is not null; i++)
        {
            i.Should().BeLessThan(DefaultOptions.ElectionTimeoutTicksMax);
            node.Raft.HearPart(B);
            node.Tick();
        }
    }

    // Raft §5.2: "To begin an election, a follower increments its current term and transitions to candidate state. It then votes for itself
    // and issues RequestVote RPCs in parallel". Thesis §9.6: after it has won a pre-vote for that term.
    [Fact]
    public void A_candidate_raises_its_term_votes_for_itself_and_asks_everybody()
    {
        var node = new TestNode(voterCount: 5, term: 3, log: [1, 3]);

        node.TimeOut().Should().Equal(new[] { A, B, C, D }.Select(p => new PreVote(Me, p, new(4), new(2), new(3))));
        node.Raft.Role.Should().Be(Role.PreCandidate);
        node.Raft.Term.Should().Be(new Term(3));
        node.Hear(PreVoteAnswer(A, 4)).Should().BeEmpty();
        node.Hear(PreVoteAnswer(B, 4)).Should()
            .Equal(new[] { A, B, C, D }.Select(p => new RequestVote(Me, p, new(4), new(2), new(3), IsTransfer: false)));

        node.Raft.Role.Should().Be(Role.Candidate);
        node.Disk.HardState.Should().Be(new HardState(new(4), Me));
    }

    // Raft §5.2: "A candidate wins an election if it receives votes from a majority of the servers in the full cluster for the same term."
    [Theory]
    [InlineData(2, 1)]
    [InlineData(3, 1)]
    [InlineData(4, 2)]
    [InlineData(5, 2)]
    [InlineData(7, 3)]
    public void A_majority_of_votes_makes_a_leader(int voters, int votesNeeded)
    {
        var node = new TestNode(voters);
        node.BecomeCandidate();

        for (var i = 1; i < votesNeeded; i++)
        {
            node.Hear(Vote(new(i), 1));
            node.Hear(Vote(new(i), 1));
        }

        node.Raft.Role.Should().Be(Role.Candidate, "one voter's vote counts once");
        node.Hear(Vote(new(votesNeeded), 1));
        node.Raft.Role.Should().Be(Role.Leader);
        node.Raft.Leader.Should().Be(Me);
    }

    // Raft §5.2: "Each server will vote for at most one candidate in a given term, on a first-come-first-served basis."
    [Fact]
    public void A_vote_is_given_once_per_term()
    {
        var node = new TestNode(term: 1);

        node.Ask<RequestVoteResponse>(VoteRequest(A, 2)).Granted.Should().BeTrue();
        node.Ask<RequestVoteResponse>(VoteRequest(B, 2)).Granted.Should().BeFalse();
        node.Ask<RequestVoteResponse>(VoteRequest(A, 2)).Granted.Should().BeTrue("the first answer may have been lost");
        node.Ask<RequestVoteResponse>(VoteRequest(B, 3)).Granted.Should().BeTrue();
    }

    // Raft Figure 2: votedFor is persistent.
    [Fact]
    public void A_vote_outlives_a_restart()
    {
        var node = new TestNode(term: 2, votedFor: A);

        node.Ask<RequestVoteResponse>(VoteRequest(B, 2)).Granted.Should().BeFalse();
        node.Ask<RequestVoteResponse>(VoteRequest(A, 2)).Granted.Should().BeTrue();
    }

    // Raft §5.2: a candidate has voted for itself; a node that knows the term's leader has no more use for a vote.
    [Fact]
    public void Candidates_and_followers_of_a_leader_refuse_their_vote()
    {
        var candidate = new TestNode();
        candidate.BecomeCandidate();
        candidate.Ask<RequestVoteResponse>(VoteRequest(A, 1)).Granted.Should().BeFalse();

        var follower = new TestNode(term: 1);
        follower.Hear(Append(A, 1, 0, 0, []));
        follower.Ask<RequestVoteResponse>(VoteRequest(B, 1)).Granted.Should().BeFalse();
    }

    // Raft §5.4.1: "the voter denies its vote if its own log is more up-to-date": later last term first, then length.
    [Theory]
    [InlineData(new long[] { 1 }, 1, 1, true)]
    [InlineData(new long[] { 1 }, 2, 1, true)]
    [InlineData(new long[] { 1, 1 }, 1, 1, false)]
    [InlineData(new long[] { 1, 1 }, 1, 2, true)]
    [InlineData(new long[] { 1, 2 }, 3, 1, false)]
    [InlineData(new long[] { 1, 2 }, 0, 0, false)]
    [InlineData(new long[] { }, 0, 0, true)]
    public void Only_an_up_to_date_log_gets_a_vote(long[] log, long last, long lastTerm, bool granted)
    {
        new TestNode(term: 2, log: log).Ask<RequestVoteResponse>(VoteRequest(A, 3, last, lastTerm)).Granted.Should().Be(granted);
        new TestNode(term: 2, log: log).Ask<PreVoteResponse>(PreVoteRequest(A, 3, last, lastTerm)).Granted.Should().Be(granted);
    }

    // Raft §5.4.1: entries that are not yet on disk count too, or what is about to be promised could be lost.
    [Fact]
    public void Unwritten_entries_count_when_logs_are_compared()
    {
        var node = new TestNode(term: 2);
        node.Raft.Step(Append(A, 2, 0, 0, Entries(1, 2)));
        node.Tick(DefaultOptions.ElectionTimeoutTicksMax);

        node.Ask<RequestVoteResponse>(VoteRequest(B, 9)).Granted.Should().BeFalse();
    }

    // Raft §5.2: "if another server ... claim[s] to be leader" with a term "at least as large as the candidate's", the candidate follows it.
    [Fact]
    public void A_candidate_follows_the_leader_of_its_own_term()
    {
        var node = new TestNode();
        node.BecomeCandidate();

        node.Ask<AppendEntriesAccepted>(Append(A, 1, 0, 0, [])).Term.Should().Be(new Term(1));

        node.Raft.Role.Should().Be(Role.Follower);
        node.Raft.Leader.Should().Be(A);
        node.Raft.VotedFor.Should().Be(Me, "a vote in a term stays given");
    }

    // Raft §5.2: on a split vote "each candidate will time out and start a new election by incrementing its term".
    [Fact]
    public void A_split_vote_leads_to_another_election()
    {
        var node = new TestNode(voterCount: 4);
        node.BecomeCandidate();
        node.Hear(Vote(A, 1));
        node.Hear(Vote(B, 1, granted: false));

        node.TimeOut();
        node.Raft.Term.Should().Be(new Term(1), "nothing is disturbed before a pre-vote is won");
        node.Hear(PreVoteAnswer(A, 2));
        node.Hear(PreVoteAnswer(B, 2));

        node.Raft.Term.Should().Be(new Term(2));
        node.Raft.Role.Should().Be(Role.Candidate);
    }

    // Raft §5.2: an election that a majority refused is lost.
    [Fact]
    public void A_lost_election_makes_a_follower()
    {
        var node = new TestNode();
        node.BecomeCandidate();
        node.Hear(Vote(A, 1, granted: false));
        node.Raft.Role.Should().Be(Role.Candidate);

        node.Hear(Vote(B, 1, granted: false));

        node.Raft.Role.Should().Be(Role.Follower);
        node.Raft.Term.Should().Be(new Term(1));
    }

    // Raft §5.2: "election timeouts are chosen randomly from a fixed interval", anew for each election.
    [Fact]
    public void Election_timeouts_are_random_within_their_bounds()
    {
        var seen = new HashSet<int>();
        for (var seed = 0; seed < 200; seed++)
        {
            var node = new TestNode(seed: seed);
            for (var term = 1; term <= 2; term++)
            {
                node.Hear(Append(A, term, 0, 0, []));
                seen.Add(TicksToPreVote(node));
            }
        }

        seen.Should().BeEquivalentTo(Enumerable.Range(10, 10), "all of the interval is used, its end excluded");
    }

    // Thesis §9.6: a pre-vote deposes nobody, so that it may be asked for as often as one likes.
    [Fact]
    public void Pre_votes_are_asked_for_soon_where_no_leader_is_known()
    {
        var seen = new HashSet<int>();
        for (var seed = 0; seed < 200; seed++)
        {
            var node = new TestNode(seed: seed);
            seen.Add(TicksToPreVote(node));
            seen.Add(TicksToPreVote(node));
            node.Hear(PreVoteAnswer(A, 0, granted: false));
            node.Hear(PreVoteAnswer(B, 0, granted: false));
            node.Raft.Role.Should().Be(Role.Follower);
            seen.Add(TicksToPreVote(node));
        }

        seen.Should().BeEquivalentTo(Enumerable.Range(2, 8), "that is between a heartbeat and the shortest election timeout, at the start, without answers, and refused");
        var alone = new TestNode(voterCount: 1);
        alone.Tick();
        alone.Raft.Role.Should().Be(Role.Leader, "the only voter need not ask anybody");
        var candidate = new TestNode();
        candidate.BecomeCandidate();
        candidate.Tick(DefaultOptions.ElectionTimeoutTicksMin - 1).Should().BeEmpty("a vote that was given is not to be had again in that term");
    }

    private static int TicksToPreVote(TestNode node)
    {
        var ticks = 1;
        while (node.Tick().Count == 0)
        {
            ticks++;
        }

        return ticks;
    }

    // Raft §9.3: nodes with different timeouts seldom collide; the same seed gives the same timeouts.
    [Fact]
    public void A_hesitant_node_lets_others_call_elections_and_calls_one_where_none_does()
    {
        for (var seed = 0; seed < 50; seed++)
        {
            var node = new TestNode(seed: seed);
            node.Raft.IsHesitant = true;
            node.Hear(Append(A, 0, 0, 0, []));
            node.Tick(DefaultOptions.ElectionTimeoutTicksMin + DefaultOptions.ElectionTimeoutTicksMax - 1).Should().BeEmpty();
            node.Ask<PreVoteResponse>(PreVoteRequest(A, 1)).Granted.Should().BeTrue();
            node.TimeOut();
            node.Raft.Role.Should().Be(Role.PreCandidate);
        }
    }

    [Fact]
    public void The_same_seed_gives_the_same_timeouts()
    {
        int[] Timeouts() => [.. Enumerable.Range(0, 50).Select(seed => TicksToPreVote(new TestNode(seed: seed)))];

        Timeouts().Should().Equal(Timeouts());
    }

    // Raft §5.2: granting a vote restarts the election timeout; refusing one does not.
    [Fact]
    public void Granting_a_vote_postpones_an_election()
    {
        var node = new TestNode(term: 1);
        node.Tick(DefaultOptions.ElectionTimeoutTicksMin - 1);

        node.Hear(VoteRequest(A, 1));

        node.Tick(DefaultOptions.ElectionTimeoutTicksMin - 1).Should().BeEmpty();
    }

    // Thesis §9.6: a pre-vote changes neither term nor vote, and is refused while a leader is heard.
    [Fact]
    public void A_pre_vote_disturbs_nobody()
    {
        var node = new TestNode(term: 3);
        node.Hear(Append(A, 3, 0, 0, []));

        node.Ask<PreVoteResponse>(PreVoteRequest(B, 9)).Should().Be(new PreVoteResponse(Me, B, new(3), MyLog, Granted: false));
        node.Tick(DefaultOptions.ElectionTimeoutTicksMin);
        node.Ask<PreVoteResponse>(PreVoteRequest(B, 9)).Should().Be(new PreVoteResponse(Me, B, new(9), MyLog, Granted: true));
        node.Ask<PreVoteResponse>(PreVoteRequest(A, 9)).Granted.Should().BeTrue("a grant is no vote");

        node.Disk.HardState.Should().Be(new HardState(new(3), null));
    }

    // Thesis §9.6: a leader grants no pre-vote against itself.
    [Fact]
    public void A_leader_refuses_pre_votes()
    {
        var node = new TestNode();
        node.BecomeLeader();

        node.Ask<PreVoteResponse>(PreVoteRequest(A, 2, 5, 1)).Granted.Should().BeFalse();
        node.Raft.Role.Should().Be(Role.Leader);
    }

    // Thesis §9.6: a node that is cut off can call for elections for ever without raising its term.
    [Fact]
    public void A_node_that_is_cut_off_keeps_its_term()
    {
        var node = new TestNode(term: 3);

        node.Tick(1000).Should().AllBeOfType<PreVote>();

        node.Raft.Term.Should().Be(new Term(3));
    }

    // Thesis §9.6: a grant counts for the term that it names only, and a refusal from a later term ends the attempt.
    [Fact]
    public void Old_grants_do_not_count_and_newer_terms_are_learned()
    {
        var node = new TestNode(term: 3);
        node.TimeOut();
        node.Hear(PreVoteAnswer(A, 5));
        node.Raft.Role.Should().Be(Role.PreCandidate);

        node.Hear(PreVoteAnswer(A, 7, granted: false));

        node.Raft.Role.Should().Be(Role.Follower);
        node.Raft.Term.Should().Be(new Term(7));
    }

    // Thesis §4.2.3: "if a server receives a RequestVote request within the minimum election timeout of hearing from a current leader, it does
    // not update its term or grant its vote."
    [Fact]
    public void Votes_are_refused_while_the_leader_is_heard()
    {
        var node = new TestNode(term: 3);
        node.Hear(Append(A, 3, 0, 0, []));
        node.Tick(DefaultOptions.ElectionTimeoutTicksMin - 1);

        node.Hear(VoteRequest(B, 4)).Should().BeEmpty();
        node.Raft.Term.Should().Be(new Term(3));

        node.Tick();
        node.Ask<RequestVoteResponse>(VoteRequest(B, 4)).Granted.Should().BeTrue();
    }

    // Thesis §6.2: "a leader ... steps down if an election timeout elapses without a successful round of heartbeats to a majority".
    [Fact]
    public void A_leader_without_a_majority_steps_down()
    {
        var node = new TestNode(voterCount: 5);
        node.BecomeLeader();
        node.Tick(DefaultOptions.ElectionTimeoutTicksMin);
        node.Hear(Accepted(A, 1, 0));

        node.Tick(DefaultOptions.ElectionTimeoutTicksMin - 1);
        node.Raft.Role.Should().Be(Role.Leader);
        node.Tick();

        node.Raft.Role.Should().Be(Role.Follower);
        node.Raft.Term.Should().Be(new Term(1));
        node.Raft.Leader.Should().BeNull();
    }

    // Thesis §6.2, the other side of it.
    [Fact]
    public void A_leader_with_a_majority_stays()
    {
        var node = new TestNode(voterCount: 5);
        node.BecomeLeader();

        for (var i = 0; i < 20; i++)
        {
            node.Hear(Accepted(A, 1, 1));
            node.Hear(new AppendEntriesRejected(B, Me, new(1), LogOf(B), new(1), new(0), new(0), 0, MayVote: true));
            node.Tick(DefaultOptions.ElectionTimeoutTicksMin);
        }

        node.Raft.Role.Should().Be(Role.Leader);
    }

    // Raft §5.1 with thesis §9.6: a node in a later term without a leader is heard by the old leader, so both come together again.
    [Fact]
    public void A_leader_learns_of_a_later_term_from_whoever_refuses_it()
    {
        var node = new TestNode();
        node.BecomeLeader();

        node.Hear(new AppendEntriesRejected(A, Me, new(8), LogOf(A), new(0), new(0), new(0), 0, MayVote: true));

        node.Raft.Role.Should().Be(Role.Follower);
        node.Raft.Term.Should().Be(new Term(8));
    }

    // Raft §5.2: one node is a majority of one.
    [Fact]
    public void A_single_voter_elects_itself_and_commits_alone()
    {
        var node = new TestNode(voterCount: 1);

        node.TimeOut().Should().BeEmpty();
        node.Raft.Role.Should().Be(Role.Leader);
        node.Raft.CommitIndex.Should().Be(new LogIndex(1));
        node.Propose().Should().BeTrue();
        node.Raft.CommitIndex.Should().Be(new LogIndex(1), "it is not on disk yet");
        node.Drain().Should().BeEmpty();
        node.Raft.CommitIndex.Should().Be(new LogIndex(2));
        node.Raft.RequestRead(5).Should().BeTrue();
        node.Drain();
        node.Reads.Should().Equal(new ReadState(5, new(2)));
        node.Tick(1000).Should().BeEmpty();
        node.Raft.Role.Should().Be(Role.Leader);
    }

    private static TestNode InRole(Role role, int seed = 1)
    {
        var node = new TestNode(term: 1, seed: seed);
        switch (role)
        {
            case Role.PreCandidate:
                node.TimeOut();
                break;
            case Role.Candidate:
                node.BecomeCandidate();
                break;
            case Role.Leader:
                node.BecomeLeader();
                break;
            default:
                break;
        }

        return node;
    }
}
