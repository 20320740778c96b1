using DistDb.Bench.Compare;

namespace DistDb.Bench.Growth;

/// <summary>What grows, and how far.</summary>
internal sealed record GrowthPlan
{
    /// <summary>Rows of one table.</summary>
    public required IReadOnlyList<int> Rows { get; init; }

    /// <summary>Nodes of the cluster.</summary>
    public required IReadOnlyList<int> Nodes { get; init; }

    /// <summary>Bytes of one value.</summary>
    public required IReadOnlyList<int> Values { get; init; }

    /// <summary>Databases of the cluster.</summary>
    public required IReadOnlyList<int> Databases { get; init; }

    /// <summary>Seconds of writing as many rows as there is room for.</summary>
    public required IReadOnlyList<int> LogSeconds { get; init; }

    /// <summary>How long each load runs.</summary>
    public required LoadTime Load { get; init; }

    /// <summary>How long each cluster works before anything is measured.</summary>
    public required TimeSpan Practice { get; init; }
}
