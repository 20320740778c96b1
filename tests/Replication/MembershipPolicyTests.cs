using DistDb.Node.Commands;
using DistDb.Node.Raft;
using DistDb.Node.Replication;
using DistDb.Node.Transport;

namespace DistDb.Tests.Replication;

/// <summary>Node 0 leads; what each node's log is called is 100 and its id.</summary>
public sealed class MembershipPolicyTests
{
    private static readonly Membership _initial = Membership.OfVoters([new(0), new(1), new(2)]);
    private static readonly Membership _three = new([Voter(0), Voter(1), Voter(2)]);

    [Fact]
    public void The_first_configuration_records_who_was_met_and_with_which_log()
    {
        var begun = Next(_initial, Facts(met: [Identity(2)]))!;
        begun.Find(new(0)).Should().Be(Voter(0));
        begun.Find(new(1)).Should().Be(new Member(new(1), true, 0, ""), "nobody has met it yet");
        begun.Find(new(2)).Should().Be(Voter(2));
    }

    [Fact]
    public void A_voter_that_is_held_back_is_waited_for_a_moment_and_is_not_recorded_then()
    {
        var facts = Facts(met: [Identity(1), Identity(2)], heldBack: 2);
        Next(_initial, facts with { IsNewLeader = true }).Should().BeNull("it may be released any moment");
        Next(_initial, facts)!.Find(new(2))!.LogId.Should().Be(0);
        Next(_three.With(Voter(2) with { LogId = 0 }), facts)!.Find(new(2)).Should().Be(
            Voter(2) with { IsVoter = false }, "it may have promised something with a log that nobody has met");
    }

    [Fact]
    public void Where_all_is_as_recorded_there_is_nothing_to_do() =>
        Next(_three, Facts(met: [Identity(1), Identity(2)])).Should().BeNull();

    [Fact]
    public void A_voter_that_is_met_for_the_first_time_stays_a_voter()
    {
        var current = _three.With(Voter(2) with { LogId = 0 });
        Next(current, Facts(met: [Identity(1), Identity(2)])).Should().Be(_three);
    }

    [Fact]
    public void A_voter_that_comes_back_with_another_log_is_a_learner_until_it_has_caught_up()
    {
        var demoted = Next(_three, Facts(met: [Identity(1), Identity(2, logId: 7)], commit: 5000))!;
        demoted.Find(new(2)).Should().Be(Voter(2) with { LogId = 7, IsVoter = false });

        Next(demoted, Facts(met: [Identity(1), Identity(2, logId: 7)], commit: 5000, matched: (2, 4000))).Should().BeNull("it lacks a thousand entries");
        var promoted = Next(demoted, Facts(met: [Identity(1), Identity(2, logId: 7)], commit: 5000, matched: (2, 4950)));
        promoted!.Find(new(2)).Should().Be(Voter(2) with { LogId = 7 });
    }

    [Fact]
    public void A_change_that_could_not_be_committed_is_not_begun()
    {
        var facts = Facts(met: [Identity(1), Identity(2, logId: 7)], silent: 1, heldBack: 2);
        Next(_three, facts).Should().BeNull("without node 2, which has forgotten, and with node 1 away, node 0 would be one of two");
        Next(_three, facts with { Followers = Facts(heldBack: 2).Followers }).Should().NotBeNull();
    }

    [Fact]
    public void A_learner_becomes_a_voter_only_when_it_says_that_it_may_vote()
    {
        var current = _three.With(Voter(2) with { IsVoter = false });
        Next(current, Facts(met: [Identity(2)], matched: (2, 0), heldBack: 2)).Should().BeNull();
        Next(current, Facts(met: [Identity(2)], matched: (2, 0))).Should().NotBeNull();
    }

    [Fact]
    public void What_a_lost_log_said_does_not_make_its_successor_a_voter()
    {
        var facts = Facts(met: [Identity(2, logId: 7)], matched: (2, 0), saidBy: 102);
        Next(_three.With(Voter(2) with { LogId = 7, IsVoter = false }), facts).Should().BeNull();
        Next(_three.With(Voter(2) with { LogId = 0 }), facts)!.Find(new(2)).Should().Be(Voter(2) with { LogId = 7, IsVoter = false });
        Next(_initial, facts)!.Find(new(2))!.LogId.Should().Be(0);
    }

    [Fact]
    public void A_learner_that_cannot_be_reached_does_not_become_a_voter()
    {
        var current = _three.With(Voter(3) with { IsVoter = false });
        Next(current, Facts(met: [Identity(1)], commit: 10, matched: (3, 10))).Should().BeNull();
    }

    [Fact]
    public void A_stranger_joins_as_a_learner()
    {
        var (membership, failure) = Judge(_three, new JoinChange(new(3), 9, "http://d"), Facts());
        failure.Should().BeNull();
        membership!.Find(new(3)).Should().Be(new Member(new(3), false, 9, "http://d"));
        membership.Members.Should().HaveCount(4);
    }

    [Fact]
    public void Who_is_a_member_already_changes_nothing_by_joining() =>
        Judge(_three, new JoinChange(new(2), 102, "http://c"), Facts()).Membership.Should().Be(_three);

    [Fact]
    public void Nobody_takes_a_members_place_while_that_is_there()
    {
        var join = new JoinChange(new(2), 7, "http://elsewhere");
        Judge(_three, join, Facts(met: [Identity(1), Identity(2)])).Failure!.Detail.Should().Contain("runs at http://2");
        Judge(_three, join, Facts(met: [Identity(1), Identity(2, logId: 7)])).Membership!.Find(new(2)).Should().Be(new Member(new(2), false, 7, "http://elsewhere"));
        Judge(_three, join, Facts(met: [Identity(1)])).Membership!.Find(new(2)).Should().Be(new Member(new(2), false, 7, "http://elsewhere"));
    }

    [Fact]
    public void Who_was_removed_comes_back_only_with_a_new_log()
    {
        var current = _three.Without(new(2));
        Judge(current, new JoinChange(new(2), 102, "http://c"), Facts()).Failure!.Code.Should().Be(FailureCode.Conflict);
        Judge(current, new JoinChange(new(2), 103, "http://c"), Facts()).Membership!.Find(new(2))!.IsVoter.Should().BeFalse();
    }

    [Fact]
    public void A_member_is_removed_and_remembered()
    {
        var (membership, failure) = Judge(_three, new RemoveChange(new(2)), Facts(met: [Identity(1)]));
        failure.Should().BeNull();
        membership!.Voters.Should().Equal(new NodeId(0), new NodeId(1));
        membership.Removed.Should().Contain(new KeyValuePair<NodeId, ulong>(new(2), 102));
    }

    [Fact]
    public void The_master_is_not_removed() =>
        Judge(_three, new RemoveChange(new(1)), Facts(met: [Identity(1), Identity(2)], master: 1)).Failure!.Detail.Should().Contain("is the master");

    [Fact]
    public void Nobody_is_removed_whom_the_others_need() =>
        Judge(_three, new RemoveChange(new(2)), Facts(met: [Identity(2)], silent: 1)).Failure!.Detail.Should().Contain("stand still");

    [Fact]
    public void A_move_is_recorded()
    {
        Judge(_three, new AddressChange(new(1), "http://elsewhere"), Facts()).Membership!.Find(new(1))!.Address.Should().Be("http://elsewhere");
        Judge(_three, new AddressChange(new(1), "http://1"), Facts()).Membership.Should().BeSameAs(_three, "it is there already");
        Judge(_three, new AddressChange(new(8), "http://elsewhere"), Facts()).Failure!.Code.Should().Be(FailureCode.NoSuchNode);
        var taken = Judge(_three, new AddressChange(new(1), "http://2"), Facts()).Failure!;
        (taken.Code, taken.Detail).Should().Match<(FailureCode, string)>(f => f.Item1 == FailureCode.Conflict && f.Item2.Contains("http://2 is the address of node 2"));
    }

    [Fact]
    public void A_node_that_speaks_https_by_now_or_http_again_is_recorded_so()
    {
        var next = Next(_three, Facts(met: [Identity(1), Identity(2) with { Address = "https://2:80" }]))!;
        next.Find(new(2)).Should().Be(Voter(2) with { Address = "https://2:80" });
        Next(next, Facts(met: [Identity(1), Identity(2)]))!.Find(new(2)).Should().Be(Voter(2));
        Next(next, Facts(met: [Identity(1), Identity(2) with { Address = "http://2:81" }])).Should().BeNull("moves are for operators to record");
        Next(_three, Facts(met: [Identity(1), Identity(2) with { Address = "https://elsewhere:80" }])).Should().BeNull("moves are for operators to record");
        Next(_three, Facts() with { Address = "https://0:80" })!.Find(new(0))!.Address.Should().Be("https://0:80", "the leader itself");
    }

    private static Membership? Next(Membership current, MembershipFacts facts) => MembershipPolicy.NextStep(current, facts);

    private static (Membership? Membership, Failure? Failure) Judge(Membership current, MembershipChange change, MembershipFacts facts) =>
        MembershipPolicy.Judge(current, change, facts);

    private static Member Voter(int id) => new(new(id), true, (ulong)(100 + id), $"http://{id}");

    private static PeerIdentity Identity(int id, ulong? logId = null) => new()
    {
        Node = id,
        LogId = logId ?? (ulong)(100 + id),
        HasHistory = true,
        Address = $"http://{id}",
        IsJoining = false,
        ClusterSize = 3,
        ClusterId = Guid.Empty,
        SqliteFingerprint = "",
        Version = "",
    };

    private static MembershipFacts Facts(
        PeerIdentity[]? met = null, long commit = 0, int master = 0, (int Node, long Index) matched = default, int? heldBack = null, int? silent = null,
        ulong? saidBy = null) => new(
        new(0),
        100,
        "http://0",
        new(master),
        new(commit),
        IsNewLeader: false,
        (met ?? []).ToDictionary(i => new NodeId(i.Node)),
        Enumerable.Range(1, 3).ToDictionary(
            i => new NodeId(i), i => new FollowerState(
                new(i), true, saidBy ?? met?.FirstOrDefault(m => m.Node == i)?.LogId ?? (ulong)(100 + i), new(i == matched.Node ? matched.Index : 0), IsActive: i != silent, MayVote: i != heldBack)));
}
