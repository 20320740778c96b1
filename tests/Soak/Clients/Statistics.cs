using System.Collections.Concurrent;
using System.Diagnostics;
using DistDb.Tests.Linearizability;

namespace DistDb.Tests.Soak.Clients;

/// <summary>What clients did, from all threads.</summary>
internal sealed class Statistics(Arena arena)
{
    private readonly ConcurrentDictionary<(string Operation, Fate Fate), int> _counts = [];
    private readonly ConcurrentDictionary<string, int> _refusals = [];
    private readonly Lock _lock = new();
    private long _lastWrite = Stopwatch.GetTimestamp();

    /// <summary>By what was done, and how it ended.</summary>
    public IReadOnlyDictionary<(string Operation, Fate Fate), int> Counts => _counts;

    /// <summary>How often each answer other than 200 was given.</summary>
    public IReadOnlyDictionary<string, int> Refusals => _refusals;

    /// <summary>Objects whose history was checked.</summary>
    public int CheckedCount => Volatile.Read(ref _checkedCount);

    /// <summary>Transitions that this took.</summary>
    public long CheckSteps => Interlocked.Read(ref _checkSteps);

    /// <summary>The longest time without any acknowledged write, and what was broken when it ended.</summary>
    public (TimeSpan Time, string Faults) LongestGap { get; private set; } = (TimeSpan.Zero, "");

    /// <summary>The same of times in which a majority was free of faults.</summary>
    public (TimeSpan Time, string Faults) LongestGapOfMajority { get; private set; } = (TimeSpan.Zero, "");

    private int _checkedCount;
    private long _checkSteps;

    public void Count(string operation, Fate fate) => _counts.AddOrUpdate((operation, fate), 1, (_, count) => count + 1);

    public void Refused(string code) => _refusals.AddOrUpdate(code, 1, (_, count) => count + 1);

    public void Checked(long steps)
    {
        Interlocked.Increment(ref _checkedCount);
        Interlocked.Add(ref _checkSteps, steps);
    }

    /// <summary>Clients begin, or go on after a break in which nobody asked for anything.</summary>
    public void Resume()
    {
        lock (_lock)
        {
            _lastWrite = Stopwatch.GetTimestamp();
        }
    }

    /// <summary>A write was acknowledged just now.</summary>
    public void WriteDone()
    {
        lock (_lock)
        {
            var since = _lastWrite;
            _lastWrite = Stopwatch.GetTimestamp();
            var gap = Stopwatch.GetElapsedTime(since, _lastWrite);
            if (gap > LongestGap.Time)
            {
                LongestGap = (gap, arena.ActiveFaults);
            }

            if (gap > LongestGapOfMajority.Time && arena.MajorityWasWellSince(since))
            {
                LongestGapOfMajority = (gap, arena.ActiveFaults);
                arena.Log($"no write for {gap.TotalSeconds:F1} s though a majority was well");
            }
        }
    }
}
