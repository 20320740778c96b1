namespace DistDb.Tests.Simulation;

/// <summary>A property that Raft promises does not hold.</summary>
internal sealed class SafetyViolationException(string property, string detail) : Exception($"{property}: {detail}");
