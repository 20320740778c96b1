namespace DistDb.Node.Database;

/// <summary>What one query may take. The size of a row is bounded by <see cref="DatabaseOptions.ResultBytesMax"/> besides.</summary>
public sealed record ReadLimits
{
    /// <summary>Only the time is limited.</summary>
    public ReadLimits(TimeSpan time) => Time = time;

    /// <summary>Time for waiting, reading and handing over the rows together, or <see cref="Timeout.InfiniteTimeSpan"/>.</summary>
    public TimeSpan Time { get; init; }

    /// <summary>
    /// Most rows that are wanted, from 1; null for all there are. With such a limit the rows are gathered before the first is given out, so that
    /// too many are a failure without rows; and they may take <see cref="DatabaseOptions.ResultBytesMax"/> together.
    /// </summary>
    public long? RowsMax { get; init; }

    /// <summary>What gathered rows are counted on; null where nothing counts them.</summary>
    public MemoryShare? Memory { get; init; }
}
