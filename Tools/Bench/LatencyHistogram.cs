using System.Numerics;

namespace DistDb.Tools.Bench;

/// <summary>
/// How often what took how long, in buckets that are at most 1/64 of their value wide, so that hours of load take no more memory than seconds.
/// One task adds; others may look meanwhile, and see a moment that is almost one.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int BucketsOfPower = 64;

    /// <summary>Ticks of 100 ns; the last bucket takes all from about a day on.</summary>
    private const int PowerMax = 40;

    private readonly long[] _counts = new long[BucketsOfPower * (PowerMax - 4)];

    public long Count { get; private set; }

    /// <summary>The longest, exactly.</summary>
    public TimeSpan Max { get; private set; }

    public void Add(TimeSpan latency)
    {
        _counts[BucketOf(latency.Ticks)]++;
        Count++;
        Max = latency > Max ? latency : Max;
    }

    public void Add(LatencyHistogram other)
    {
        for (var i = 0; i < _counts.Length; i++)
        {
            _counts[i] += other._counts[i];
        }

        Count += other.Count;
        Max = other.Max > Max ? other.Max : Max;
    }

    /// <summary>The nearest-rank percentile, as the upper end of its bucket; zero when there is none.</summary>
    public TimeSpan Percentile(double fraction)
    {
        var rank = Math.Max(1, (long)Math.Ceiling(_counts.Sum() * fraction));
        long seen = 0;
        for (var i = 0; i < _counts.Length; i++)
        {
            seen += _counts[i];
            if (seen >= rank)
            {
                return TimeSpan.FromTicks(Math.Min(UpperEnd(i), Max.Ticks));
            }
        }

        return TimeSpan.Zero;
    }

    /// <summary>How many took longer than one time and at most another.</summary>
    public long CountBetween(TimeSpan above, TimeSpan upTo)
    {
        long count = 0;
        for (var i = 0; i < _counts.Length; i++)
        {
            count += UpperEnd(i) > above.Ticks && UpperEnd(i) <= upTo.Ticks ? _counts[i] : 0;
        }

        return count;
    }

    private static int BucketOf(long ticks)
    {
        ticks = Math.Clamp(ticks, 0, (1L << PowerMax) - 1);
        var shift = Math.Max(0, BitOperations.Log2((ulong)ticks | 1) - 6);
        return (BucketsOfPower * shift) + (int)(ticks >> shift);
    }

    private static long UpperEnd(int bucket)
    {
        var shift = Math.Max(0, (bucket / BucketsOfPower) - 1);
        return ((bucket - ((long)BucketsOfPower * shift) + 1) << shift) - 1;
    }
}
