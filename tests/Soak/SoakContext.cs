using DistDb.Tests.Soak.Clients;

namespace DistDb.Tests.Soak;

/// <summary>What all clients of a run share.</summary>
/// <param name="Options">What the run is to do.</param>
/// <param name="Arena">The cluster.</param>
/// <param name="Findings">What is wrong.</param>
/// <param name="Statistics">What was done.</param>
/// <param name="Watch">What nodes answered last.</param>
internal sealed record SoakContext(SoakOptions Options, Arena Arena, Findings Findings, Statistics Statistics, NodeWatch Watch)
{
    private long _lastNumber;

    /// <summary>A number that nobody else has: an object's key, a written value, an id.</summary>
    public long NextNumber() => Interlocked.Increment(ref _lastNumber);
}
