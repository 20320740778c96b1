namespace DistDb.Tests.Simulation;

/// <summary>Time that passes from event to event. Events at the same time happen in the order in which they were planned.</summary>
internal sealed class VirtualClock
{
    /// <summary>Units of time in one tick of a clock that runs right.</summary>
    public const long Tick = 1000;

    private readonly PriorityQueue<Action, (long Time, long Order)> _events = new();
    private long _planned;

    public long Now { get; private set; }

    /// <summary>How many events have happened.</summary>
    public long Step { get; private set; }

    public void After(long delay, Action action) => _events.Enqueue(action, (Now + delay, _planned++));

    public void RunNext()
    {
        if (!_events.TryDequeue(out var action, out var at))
        {
            throw new InvalidOperationException("A simulation has always something to do: its nodes' clocks tick.");
        }

        Now = at.Time;
        Step++;
        action();
    }
}
