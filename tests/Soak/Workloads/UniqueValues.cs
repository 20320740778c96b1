using DistDb.Tests.Linearizability;

namespace DistDb.Tests.Soak.Workloads;

/// <summary>What is wrong with values that clients added once each, and that stay for ever.</summary>
internal static class UniqueValues
{
    /// <param name="added">The values that clients added, and what they know of it.</param>
    /// <param name="stored">What there is in the end.</param>
    public static IEnumerable<(FindingKind Kind, string Text)> Judge(IEnumerable<(long Value, Fate Fate)> added, IReadOnlyList<long> stored)
    {
        var fates = added.ToLookup(a => a.Fate, a => a.Value);
        foreach (var lost in fates[Fate.Done].Except(stored))
        {
            yield return (FindingKind.Lost, $"{lost} was acknowledged and is not there.");
        }

        foreach (var (value, count) in stored.CountBy(v => v).Where(v => v.Value > 1))
        {
            yield return (FindingKind.Doubled, $"{value} was written once and is there {count} times.");
        }

        foreach (var phantom in fates[Fate.NotDone].Intersect(stored))
        {
            yield return (FindingKind.Phantom, $"{phantom} was answered as not done and is there.");
        }
    }
}
