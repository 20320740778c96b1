namespace DistDb.Tests.Linearizability;

/// <summary>What the checker found in one history.</summary>
/// <param name="Verdict">The outcome.</param>
/// <param name="Steps">How many transitions were tried.</param>
/// <param name="Report">Of a violation, what led to it; otherwise why there is no verdict, or empty.</param>
internal sealed record CheckResult(Verdict Verdict, long Steps, string Report);
