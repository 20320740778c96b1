using DistDb.Node.Commands;
using DistDb.Node.Replication;

namespace DistDb.Tests.Replication;

public sealed class OriginWindowsTests
{
    private static readonly Failure _verdict = new(FailureCode.Constraint, "no");

    private readonly OriginWindows _windows = new();

    [Fact]
    public void The_first_copy_is_new_and_every_other_is_known()
    {
        Arrive(1).Should().Be(OriginWindows.Arrival.New);
        Arrive(1).Should().Be(OriginWindows.Arrival.Known);
        Arrive(3).Should().Be(OriginWindows.Arrival.New);
        Arrive(2).Should().Be(OriginWindows.Arrival.New);
        Arrive(2).Should().Be(OriginWindows.Arrival.Known);
    }

    [Fact]
    public void Nodes_and_their_processes_count_for_themselves()
    {
        _windows.Arrive(new(1, 7, 1), 1, out _).Should().Be(OriginWindows.Arrival.New);
        _windows.Arrive(new(1, 8, 1), 1, out _).Should().Be(OriginWindows.Arrival.New);
        _windows.Arrive(new(2, 7, 1), 1, out _).Should().Be(OriginWindows.Arrival.New);
        _windows.Arrive(new(1, 7, 1), 1, out _).Should().Be(OriginWindows.Arrival.Known);
    }

    [Fact]
    public void A_refused_write_is_refused_again_until_its_origin_needs_no_answer()
    {
        Arrive(1);
        _windows.Refuse(Id(1), _verdict);
        _windows.Arrive(Id(1), 1, out var verdict).Should().Be(OriginWindows.Arrival.Refused);
        verdict.Should().Be(_verdict);
        Arrive(2, oldest: 2).Should().Be(OriginWindows.Arrival.New);
        Arrive(1).Should().Be(OriginWindows.Arrival.Known);
    }

    [Fact]
    public void What_its_origin_has_given_up_is_never_taken_whether_it_came_before_or_not()
    {
        Arrive(10, oldest: 10);
        Arrive(9).Should().Be(OriginWindows.Arrival.Known, "the window began behind it");
        Arrive(20, oldest: 15);
        Arrive(12, oldest: 12).Should().Be(OriginWindows.Arrival.Known);
        _windows.Refuse(Id(12), _verdict);
        Arrive(12, oldest: 12).Should().Be(OriginWindows.Arrival.Known);
        Arrive(15, oldest: 12).Should().Be(OriginWindows.Arrival.New);
    }

    [Fact]
    public void A_forgotten_write_may_come_again()
    {
        Arrive(1);
        _windows.Forget(Id(1));
        Arrive(1).Should().Be(OriginWindows.Arrival.New);
    }

    [Fact]
    public void Shuffled_and_repeated_copies_are_each_taken_once()
    {
        var random = new Random(5);
        var copies = Enumerable.Range(1, 500).SelectMany(i => Enumerable.Repeat(i, 1 + random.Next(3))).ToArray();
        random.Shuffle(copies);
        var taken = copies.Where(i => Arrive(i) == OriginWindows.Arrival.New).ToArray();
        taken.Should().OnlyHaveUniqueItems().And.HaveCount(500);
    }

    private static WriteId Id(long sequence) => new(1, 7, sequence);

    private OriginWindows.Arrival Arrive(long sequence, long oldest = 1) => _windows.Arrive(Id(sequence), oldest, out _);
}
