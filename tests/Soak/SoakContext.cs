using System.Collections.Concurrent;
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
    private readonly ConcurrentDictionary<string, bool> _databases = new(Options.Databases.Select(name => KeyValuePair.Create(name, true)));
    private long _lastNumber;

    /// <summary>The databases that there should be, as far as clients have any, and unless one is just coming or going.</summary>
    public IReadOnlyCollection<string> Databases => [.. _databases.Keys];

    /// <summary>A number that nobody else has: an object's key, a written value, an id.</summary>
    public long NextNumber() => Interlocked.Increment(ref _lastNumber);

    /// <summary>A database was created.</summary>
    public void Created(string database) => _databases[database] = true;

    /// <summary>A database was dropped.</summary>
    public void Dropped(string database) => _databases.TryRemove(database, out _);
}
