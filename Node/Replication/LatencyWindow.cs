namespace DistDb.Node.Replication;

/// <summary>
/// How long requests took in the last full second, in a fixed number of buckets: each is a fifth wider than the one before, so that what it says is at
/// most that much too long. Thread safe.
/// </summary>
/// <param name="time">Seconds are counted by its timestamps.</param>
internal sealed class LatencyWindow(TimeProvider time)
{
    private const int BucketsPerDoubling = 4;

    // From a microsecond to over an hour.
    private const int BucketCount = 32 * BucketsPerDoubling;

    private readonly Lock _lock = new();
    private int[] _current = new int[BucketCount];
    private int[] _last = new int[BucketCount];
    private long _second;

    /// <summary>Notes a request.</summary>
    /// <param name="latency">How long it took.</param>
    public void Add(TimeSpan latency)
    {
        var microseconds = Math.Max(1, latency.TotalMicroseconds);
        var bucket = Math.Min(BucketCount - 1, (int)(Math.Log2(microseconds) * BucketsPerDoubling));
        lock (_lock)
        {
            Turn();
            _current[bucket]++;
        }
    }

    /// <summary>Milliseconds within which so many requests of the last full second were answered; null if there were none.</summary>
    /// <param name="share">Above 0, up to 1: 0.99 for all but the slowest hundredth.</param>
    public double? QuantileMs(double share)
    {
        lock (_lock)
        {
            Turn();
            var wanted = (long)Math.Ceiling(_last.Sum(c => (long)c) * share);
            if (wanted == 0)
            {
                return null;
            }

            long count = 0;
            var bucket = -1;
            while (count < wanted)
            {
                count += _last[++bucket];
            }

            return Math.Round(Math.Pow(2, (bucket + 1.0) / BucketsPerDoubling) / 1000, 3);
        }
    }

    private void Turn()
    {
        var second = time.GetTimestamp() / time.TimestampFrequency;
        if (second == _second)
        {
            return;
        }

        (_last, _current) = (_current, _last);
        Array.Clear(_current);
        if (second != _second + 1)
        {
            Array.Clear(_last);
        }

        _second = second;
    }
}
