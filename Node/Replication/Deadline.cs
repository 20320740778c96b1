namespace DistDb.Node.Replication;

/// <summary>A moment by which something must be done, on the machine's monotonic clock.</summary>
/// <param name="TickMs">In milliseconds of <see cref="Environment.TickCount64"/>.</param>
public readonly record struct Deadline(long TickMs)
{
    public static Deadline After(TimeSpan time) => new(Environment.TickCount64 + (long)time.TotalMilliseconds);

    /// <summary>What is left; zero once it has passed.</summary>
    public TimeSpan Remaining => TimeSpan.FromMilliseconds(Math.Max(0, TickMs - Environment.TickCount64));

    public bool HasPassed => Environment.TickCount64 >= TickMs;

    public Deadline Earlier(Deadline other) => TickMs <= other.TickMs ? this : other;

    public Deadline Plus(TimeSpan time) => new(TickMs + (long)time.TotalMilliseconds);
}
