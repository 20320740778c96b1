using DistDb.Node.Raft;
using DistDb.Node.Replication;
using DistDb.Node.Transport;

namespace DistDb.Tests.Replication;

/// <summary>One node's part in finding out who is right about an entry, among voters 0, 1 and 2 and learner 3.</summary>
public sealed class ReplayOpinionsTests
{
    private const ulong Recorded = OwnOpinions.AsRecorded;
    private const ulong Other = 77;

    private static readonly NodeId _one = new(1);
    private static readonly NodeId _two = new(2);
    private static readonly NodeId _learner = new(3);
    private static readonly LogIndex _entry = new(10);
    private static readonly Membership _members = new(
        Enumerable.Range(0, 4).Select(n => new Member(new(n), IsVoter: n < 3, LogId: 1, Address: "")));

    private readonly AppliedProgress _applied = new();
    private readonly OwnOpinions _own;
    private readonly List<(NodeId To, ReplayOpinion Opinion)> _sent = [];
    private readonly ReplayOpinions _opinions;
    private int _settledCount;

    public ReplayOpinionsTests()
    {
        _own = new(_applied);
        _own.Begin(new(5), []);
        _opinions = new(new(0), _own, () => _members, () => [_one, _two, _learner], (to, message) => _sent.Add((to, (ReplayOpinion)message)))
        {
            Settled = () => _settledCount++,
        };
    }

    [Fact]
    public void What_a_majority_overruled_is_known_from_the_moment_that_it_is_applied()
    {
        _own.Begin(new(5), new() { [3] = 33 });
        _own.Differ(new(_entry, Other, "", DateTimeOffset.UnixEpoch));
        _applied.Advance(_entry);
        _own.OverruledAt(_entry).Should().Be(Other, "the archive may look at this very moment");
        _own.Overruled();
        _own.OverruledAt(_entry).Should().Be(Other);
        _own.OverruledAt(new(3)).Should().Be(33);
        _own.OverruledAt(new(4)).Should().BeNull();
    }

    [Theory]
    [InlineData(4, 20, null)]
    [InlineData(5, 20, null)]
    [InlineData(6, 20, Recorded)]
    [InlineData(20, 20, Recorded)]
    [InlineData(21, 20, null)]
    public void It_answers_everybody_about_entries_that_it_has_seen_and_no_others(long index, long applied, ulong? expected)
    {
        _applied.Advance(new(applied));
        _opinions.Receive(_learner, new(new(index), Other, IsQuestion: true), 0);
        _sent.Should().Equal(expected is { } opinion
            ? [.. ((NodeId[])[_one, _two, _learner]).Select(p => (p, new ReplayOpinion(new(index), opinion, IsQuestion: false)))]
            : Array.Empty<(NodeId, ReplayOpinion)>());
    }

    [Fact]
    public void An_answer_is_not_answered()
    {
        _applied.Advance(new(20));
        _opinions.Receive(_one, new(_entry, Recorded, IsQuestion: false), 0);
        _sent.Should().BeEmpty();
    }

    [Fact]
    public void An_overruled_entry_is_told_as_it_was_observed_and_nothing_of_content_that_was_given_up()
    {
        Differ();
        _own.At(_entry).Should().Be(Other);
        _applied.Advance(_entry);
        _own.Overruled();
        _own.Disagreement.Should().BeNull();
        _own.At(_entry).Should().Be(Other);
        _own.At(new(9)).Should().Be(Recorded);
        _own.End();
        _own.At(_entry).Should().BeNull();
        _own.Begin(_entry, new() { [10] = Other, [12] = Other });
        _applied.Advance(new(12));
        _own.At(_entry).Should().BeNull("it came as a copy");
        _own.At(new(11)).Should().Be(Recorded);
        _own.At(new(12)).Should().Be(Other);
    }

    [Fact]
    public void A_node_that_differs_asks_until_a_majority_is_known()
    {
        Differ();
        _opinions.Sweep(0).Should().ContainSingle().Which.Majority.Should().BeNull();
        _sent.Should().HaveCount(3).And.OnlyContain(s => s.Opinion == new ReplayOpinion(_entry, Other, IsQuestion: true));
        _opinions.Sweep(100);
        _sent.Should().HaveCount(3, "not at every sweep");
        _opinions.Sweep(500);
        _sent.Should().HaveCount(6);

        _opinions.Receive(_learner, new(_entry, Other, IsQuestion: false), 600);
        _opinions.Sweep(600).Single().Majority.Should().BeNull("a learner does not count");
        _opinions.Receive(_one, new(_entry, Other, IsQuestion: true), 700);
        _opinions.Sweep(700).Single().Majority.Should().Be(Other);
        _opinions.IsDisputed.Should().BeFalse("nothing applied is in doubt");
    }

    [Fact]
    public void The_newest_opinion_of_a_voter_counts_and_an_old_one_does_not()
    {
        Differ();
        _opinions.Receive(_one, new(_entry, Recorded, IsQuestion: false), 0);
        _opinions.Receive(_one, new(_entry, Other + 1, IsQuestion: false), 10);
        _opinions.Receive(_two, new(_entry, Recorded, IsQuestion: false), 6000);
        _opinions.Sweep(6000).Single().Majority.Should().BeNull();
        _opinions.Receive(_one, new(_entry, Recorded, IsQuestion: false), 6100);
        _opinions.Sweep(6100).Single().Majority.Should().Be(Recorded);
    }

    [Fact]
    public void A_node_that_is_contradicted_is_in_dispute_and_asks_until_a_majority_sides_with_it()
    {
        _applied.Advance(new(20));
        _opinions.Receive(_one, new(_entry, Other, IsQuestion: true), 0);
        _opinions.IsDisputed.Should().BeTrue();
        _opinions.WaitUntilSettledAsync(default).IsCompleted.Should().BeFalse();
        _sent.Clear();
        Positions(50).Should().Equal((_entry, Recorded, null));
        _sent.Should().OnlyContain(s => s.Opinion == new ReplayOpinion(_entry, Recorded, IsQuestion: true)).And.HaveCount(3);

        var waiting = _opinions.WaitUntilSettledAsync(default);
        _opinions.Receive(_two, new(_entry, Recorded, IsQuestion: false), 100);
        _opinions.IsDisputed.Should().BeFalse();
        waiting.IsCompletedSuccessfully.Should().BeTrue();
        _settledCount.Should().Be(1);
        _opinions.Receive(_one, new(_entry, Other, IsQuestion: true), 7000);
        _opinions.IsDisputed.Should().BeFalse("that was decided, whoever has fallen silent since");
        _opinions.Sweep(7000).Should().BeEmpty();
    }

    [Fact]
    public void A_dispute_ends_when_the_other_falls_silent_or_changes_its_mind()
    {
        _applied.Advance(new(20));
        _opinions.Receive(_one, new(_entry, Other, IsQuestion: true), 0);
        _opinions.Sweep(4900);
        _opinions.IsDisputed.Should().BeTrue();
        _opinions.Sweep(5100).Should().BeEmpty();
        _opinions.IsDisputed.Should().BeFalse();

        _opinions.Receive(_one, new(_entry, Other, IsQuestion: true), 6000);
        _opinions.IsDisputed.Should().BeTrue();
        _opinions.Receive(_one, new(_entry, Recorded, IsQuestion: false), 6100);
        _opinions.IsDisputed.Should().BeFalse();
        _settledCount.Should().Be(2);
    }

    [Fact]
    public void A_learner_raises_no_doubt()
    {
        _applied.Advance(new(20));
        _opinions.Receive(_learner, new(_entry, Other, IsQuestion: true), 0);
        _opinions.IsDisputed.Should().BeFalse();
        _opinions.Sweep(50).Should().BeEmpty();
    }

    [Fact]
    public void A_node_that_is_proved_wrong_is_told_so_and_stays_in_dispute()
    {
        _applied.Advance(new(20));
        _opinions.Receive(_one, new(_entry, Other, IsQuestion: true), 0);
        _opinions.Receive(_two, new(_entry, Other, IsQuestion: true), 0);
        Positions(50).Should().Equal((_entry, Recorded, Other));
        _opinions.IsDisputed.Should().BeTrue();
        _own.End();
        _opinions.Sweep(100).Should().BeEmpty();
        _opinions.IsDisputed.Should().BeFalse();
    }

    private IEnumerable<(LogIndex Index, ulong Own, ulong? Majority)> Positions(long nowMs) =>
        _opinions.Sweep(nowMs).Select(q => (q.Index, q.Own, q.Majority));

    private void Differ() => _own.Differ(new(_entry, Other, "", DateTimeOffset.UtcNow));
}
