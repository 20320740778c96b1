namespace DistDb.Tests.Fuzz;

/// <summary>What a run of the fuzzer sends.</summary>
internal sealed record FuzzOptions
{
    /// <summary>How many requests.</summary>
    public int Count { get; init; } = 100_000;

    /// <summary>Decides each request, together with its position.</summary>
    public int Seed { get; init; }

    /// <summary>The position of the first, from 0.</summary>
    public int First { get; init; }

    /// <summary>Requests under way at a time.</summary>
    public int LaneCount { get; init; } = 12;
}
