using DistDb.Node.Transport;

namespace DistDb.Tests.Transport;

public sealed class LogThrottleTests
{
    private readonly Clock _clock = new();
    private readonly LogThrottle _throttle;

    public LogThrottleTests() => _throttle = new(_clock);

    [Fact]
    public void A_message_is_due_once_a_minute()
    {
        _throttle.IsDue("a").Should().BeTrue();
        _clock.Seconds = 59;
        _throttle.IsDue("a").Should().BeFalse();
        _throttle.IsDue("b").Should().BeTrue();
        _clock.Seconds = 60;
        _throttle.IsDue("a").Should().BeTrue();
        _throttle.IsDue("b").Should().BeFalse();
    }

    [Fact]
    public void Many_messages_take_no_more_room_and_are_still_let_through()
    {
        for (var i = 0; i < 10_000; i++)
        {
            _throttle.IsDue($"message {i}").Should().BeTrue();
        }
    }

    private sealed class Clock : TimeProvider
    {
        public long Seconds { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }
}
