using System.Diagnostics;
using DistDb.Node.Telemetry;

namespace DistDb.Node.Replication;

/// <summary>Counts what clients asked of this node and got, and how long that took. Thread safe.</summary>
/// <param name="instruments">Told the same.</param>
internal sealed class RequestMeter(NodeInstruments instruments)
{
    private readonly LatencyWindow _readLatency = new(TimeProvider.System);
    private readonly LatencyWindow _writeLatency = new(TimeProvider.System);
    private long _reads;

    /// <summary>Queries answered since the start.</summary>
    public long Reads => Interlocked.Read(ref _reads);

    /// <summary>Milliseconds within which 99 of 100 queries of the last second had their first rows; null if there were none.</summary>
    public double? ReadP99Ms => _readLatency.QuantileMs(0.99);

    /// <summary>Milliseconds within which 99 of 100 writes of the last second were done; null if there were none.</summary>
    public double? WriteP99Ms => _writeLatency.QuantileMs(0.99);

    /// <summary>Notes a query that has its first rows.</summary>
    /// <param name="started">When it arrived, by the stopwatch.</param>
    public void CountRead(long started)
    {
        Interlocked.Increment(ref _reads);
        var latency = Stopwatch.GetElapsedTime(started);
        _readLatency.Add(latency);
        instruments.ReadDone(latency);
    }

    /// <summary>Notes a write that is done.</summary>
    /// <param name="started">When it arrived, by the stopwatch.</param>
    public void CountWrite(long started)
    {
        var latency = Stopwatch.GetElapsedTime(started);
        _writeLatency.Add(latency);
        instruments.WriteDone(latency);
    }
}
