namespace DistDb.Node.Raft;

/// <summary>Majority arithmetic over a set of voters.</summary>
internal static class Quorum
{
    /// <summary>How many of <paramref name="voterCount"/> voters any decision needs.</summary>
    public static int Size(int voterCount) => (voterCount / 2) + 1;

    /// <summary>The largest value that a majority has reached, given each voter's value.</summary>
    public static long Reached(ReadOnlySpan<long> values)
    {
        Span<long> sorted = values.Length <= 16 ? stackalloc long[values.Length] : new long[values.Length];
        values.CopyTo(sorted);
        sorted.Sort();
        return sorted[values.Length - Size(values.Length)];
    }
}
