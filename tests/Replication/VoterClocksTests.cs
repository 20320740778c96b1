using DistDb.Node.Raft;
using DistDb.Node.Replication;

namespace DistDb.Tests.Replication;

public sealed class VoterClocksTests
{
    private const long Noon = 1_800_000_000_000;
    private const long Hour = 3_600_000;
    private const long Lead = VoterClocks.LeadMaxMs;

    /// <param name="own">Hours by which this node's clock is ahead.</param>
    /// <param name="others">Those of the other voters; null where a clock is not known.</param>
    /// <param name="isBound">Whether the median bounds it.</param>
    [Theory]
    [InlineData(0, new double[0], false)]
    [InlineData(30, new double[0], false)]
    [InlineData(30, new[] { double.NaN, double.NaN }, false)]
    [InlineData(30, new[] { 0.0 }, false)]
    [InlineData(0, new[] { -30.0 }, false)]
    [InlineData(0, new[] { 30.0 }, false)]
    [InlineData(30, new[] { 0.0, double.NaN }, false)]
    [InlineData(30, new[] { 0.0, 0.0 }, true)]
    [InlineData(30, new[] { 0.0, -1000.0 }, true)]
    [InlineData(0.1, new[] { 0.0, 0.0 }, false)]
    [InlineData(0, new[] { 30.0, 30.0 }, false)]
    [InlineData(0, new[] { -30.0, 0.0 }, false)]
    [InlineData(30, new[] { 0.0, 0.0, 0.0, 30.0 }, true)]
    [InlineData(30, new[] { 0.0, 0.0, 30.0, 30.0 }, false)]
    [InlineData(-30, new[] { 0.0, 0.0 }, false)]
    public void A_clock_far_ahead_of_the_median_is_not_followed(double own, double[] others, bool isBound)
    {
        var clocks = new VoterClocks();
        foreach (var (i, ahead) in others.Index().Where(o => !double.IsNaN(o.Item)))
        {
            clocks.Hear(new(i + 1), Noon + (long)(ahead * Hour), nowMs: 1000);
        }

        var ownMs = Noon + (long)(own * Hour);
        var bound = clocks.Bound(ownMs + 500, Enumerable.Range(1, others.Length).Select(i => new NodeId(i)), nowMs: 1500);
        bound.Should().Be(isBound ? Noon + 500 + Lead : ownMs + 500);
    }

    [Fact]
    public void What_is_old_makes_no_sense_or_is_no_voters_does_not_count()
    {
        var clocks = new VoterClocks();
        clocks.Hear(new(1), Noon, nowMs: 0);
        clocks.Hear(new(2), Noon, nowMs: 0);
        clocks.Hear(new(2), long.MaxValue, nowMs: 10);
        clocks.Bound(Noon + Hour, [new(1), new(2)], nowMs: 60_000).Should().Be(Noon + 60_000 + Lead);
        clocks.Bound(Noon + Hour, [new(1)], nowMs: 60_000).Should().Be(Noon + Hour);
        clocks.Bound(Noon + Hour, [new(1), new(2)], nowMs: 60_001).Should().Be(Noon + Hour);
    }
}
