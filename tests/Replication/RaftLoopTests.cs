using DistDb.Node.Replication;

namespace DistDb.Tests.Replication;

public sealed class RaftLoopTests
{
    [Theory]
    [InlineData(0, 1, 0, 0, "an input came before any tick")]
    [InlineData(1, 1, 0, 1, "each tick is due")]
    [InlineData(3, 5, 3, 0, "an input came while nothing was due")]
    [InlineData(5, 5, 4, 1, "it was woken in time")]
    [InlineData(6, 5, 4, 2, "it was woken late")]
    [InlineData(100_000, 5, 4, 3, "it was stopped for long, and is to hear others before it judges them")]
    public void Ticks_slept_through_on_purpose_are_told_from_those_that_were_missed(int elapsed, int due, int quiet, int loud, string because) =>
        RaftLoop.CountTicks(elapsed, due).Should().Be((quiet, loud), because);
}
