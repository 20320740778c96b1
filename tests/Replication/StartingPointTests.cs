using DistDb.Node.Replication;

namespace DistDb.Tests.Replication;

public sealed class StartingPointTests
{
    private readonly StartingPoint _start = new();

    [Fact]
    public void Before_anybody_leads_nothing_is_new()
    {
        _start.IsBefore(new(9), new(9)).Should().BeFalse();
        _start.IsReached(new(9)).Should().BeFalse();
    }

    [Fact]
    public void What_the_first_leader_had_committed_is_old_and_what_it_commits_then_is_new()
    {
        _start.Hear(new(5), new(10));
        _start.Hear(new(6), new(20));
        _start.IsBefore(new(5), new(10)).Should().BeFalse();
        _start.IsBefore(new(5), new(11)).Should().BeTrue();
    }

    [Fact]
    public void What_earlier_leaders_made_is_old_even_where_a_new_leader_does_not_know_yet_that_it_is_committed()
    {
        _start.Hear(new(5), new(10));
        _start.IsBefore(new(4), new(12)).Should().BeFalse();
        _start.IsBefore(new(6), new(13)).Should().BeTrue();
    }

    [Fact]
    public void A_snapshot_brings_news_to_whoever_had_all_that_was_old()
    {
        _start.Hear(new(5), new(10));
        _start.IsReached(new(9)).Should().BeFalse();
        _start.IsReached(new(10)).Should().BeTrue();
    }
}
