using DistDb.Node.Replication;

namespace DistDb.Tests.Replication;

public sealed class LatencyWindowTests
{
    private readonly ManualTime _time = new();
    private readonly LatencyWindow _window;

    public LatencyWindowTests()
    {
        _window = new(_time);
    }

    [Fact]
    public void It_says_nothing_where_there_was_nothing()
    {
        _window.QuantileMs(0.99).Should().BeNull();
    }

    [Fact]
    public void A_second_shows_when_it_is_over_and_until_the_next_one_is()
    {
        _window.Add(TimeSpan.FromMilliseconds(10));
        _window.QuantileMs(0.99).Should().BeNull("the second is not over");
        _time.Seconds++;
        _window.QuantileMs(0.99).Should().BeInRange(10, 12);
        _time.Seconds++;
        _window.QuantileMs(0.99).Should().BeNull();
    }

    [Fact]
    public void A_pause_leaves_nothing_behind()
    {
        _window.Add(TimeSpan.FromMilliseconds(10));
        _time.Seconds += 60;
        _window.QuantileMs(0.99).Should().BeNull();
    }

    [Fact]
    public void The_slowest_hundredth_is_left_out()
    {
        for (var i = 0; i < 990; i++)
        {
            _window.Add(TimeSpan.FromMilliseconds(1));
        }

        for (var i = 0; i < 10; i++)
        {
            _window.Add(TimeSpan.FromSeconds(1));
        }

        _time.Seconds++;
        _window.QuantileMs(0.99).Should().BeInRange(1, 1.2);
        _window.QuantileMs(1).Should().BeInRange(1000, 1200);
    }

    [Fact]
    public void Whatever_takes_no_time_or_for_ever_has_a_bucket()
    {
        _window.Add(TimeSpan.Zero);
        _window.Add(TimeSpan.MaxValue);
        _time.Seconds++;
        _window.QuantileMs(0.5).Should().BeLessThan(0.01);
        _window.QuantileMs(1).Should().BeGreaterThan(3_600_000);
    }

    private sealed class ManualTime : TimeProvider
    {
        public long Seconds { get; set; } = 1000;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }
}
