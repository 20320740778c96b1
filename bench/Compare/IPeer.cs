using DistDb.Tools;

namespace DistDb.Bench.Compare;

/// <summary>What the clients of a comparison do.</summary>
internal enum Job
{
    /// <summary>Store one new row, or one key, of about 100 bytes, so that a majority has it on disk.</summary>
    Write,

    /// <summary>Read one row by its key, from the node that is asked as it has it.</summary>
    Read,

    /// <summary>The same, certain to see every write that was acknowledged before.</summary>
    StrongRead,
}

/// <summary>A database of three nodes on this machine, with full durability, and a load for it. Disposing stops the nodes.</summary>
internal interface IPeer : IAsyncDisposable
{
    /// <summary>Its name in the results.</summary>
    string Name { get; }

    /// <summary>What it is asked to do; null where it has no such thing.</summary>
    /// <param name="job">What the clients do.</param>
    string? Describe(Job job);

    /// <summary>Starts the nodes and fills in what is read.</summary>
    /// <exception cref="ToolException">One of them does not come up.</exception>
    Task StartAsync(CancellationToken cancellation);

    /// <summary>Runs a load, through the node that takes writes best, or through another one.</summary>
    /// <param name="job">One that <see cref="Describe"/> knows.</param>
    /// <param name="throughFollower">Whether the clients speak to a node that does not lead. False where there is no such thing.</param>
    /// <param name="clients">How many at once, each with one request under way.</param>
    /// <param name="load">How long.</param>
    /// <param name="cancellation">Ends it.</param>
    Task<Sample> RunAsync(Job job, bool throughFollower, int clients, LoadTime load, CancellationToken cancellation);

    /// <summary>Whether writes can go through a node that does not lead, and cost more there.</summary>
    bool HasFollowers { get; }

    /// <summary>What all its nodes have in memory now, in bytes, each page counted once.</summary>
    long MemoryBytes { get; }

    /// <summary>Kills the node that leads, as <c>kill -9</c> does, and starts it again once another one takes writes; null where nobody takes over by itself.</summary>
    /// <returns>From the kill to the next write that another node has taken.</returns>
    Task<TimeSpan?> FailOverAsync(CancellationToken cancellation);
}

/// <summary>How long a load runs, unmeasured and measured.</summary>
/// <param name="WarmUp">Before anything counts.</param>
/// <param name="Measured">After it.</param>
internal readonly record struct LoadTime(TimeSpan WarmUp, TimeSpan Measured);
