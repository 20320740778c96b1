using System.Diagnostics;

namespace DistDb.Node.Database;

/// <summary>
/// The time limit of the statement that a connection is running, looked at by SQLite every few instructions. It holds only between
/// <see cref="Arm"/> and <see cref="Disarm"/>, so that the connection's own bookkeeping is never interrupted.
/// </summary>
internal sealed class StatementLimit
{
    private long _deadline = long.MaxValue;
    private CancellationToken _cancellation;
    private bool _armed;

    /// <summary>True when the running statement must stop.</summary>
    public bool IsReached => _armed && (_cancellation.IsCancellationRequested || Stopwatch.GetTimestamp() >= _deadline);

    /// <summary>Sets the limit of the statements to come, counted from now.</summary>
    public void Set(TimeSpan limit, CancellationToken cancellation)
    {
        _cancellation = cancellation;
        _deadline = limit == Timeout.InfiniteTimeSpan
            ? long.MaxValue
            : Stopwatch.GetTimestamp() + (long)(Math.Max(0, limit.TotalSeconds) * Stopwatch.Frequency);
    }

    /// <summary>Lifts it, and lets go of the token.</summary>
    public void Clear() => Set(Timeout.InfiniteTimeSpan, CancellationToken.None);

    public void Arm() => _armed = true;

    public void Disarm() => _armed = false;
}
