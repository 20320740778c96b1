namespace DistDb.Bench.Compare;

/// <summary>What one load did to one system.</summary>
/// <param name="PerSecond">Successful requests in a second.</param>
/// <param name="P50Ms">Median time of one, in milliseconds.</param>
/// <param name="P99Ms">What 99 of 100 stayed below, in milliseconds.</param>
/// <param name="Failed">How many had another answer, or none.</param>
internal sealed record Sample(double PerSecond, double P50Ms, double P99Ms, long Failed);
