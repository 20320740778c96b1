using System.Globalization;
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

/// <summary>A database of several nodes on this machine, with full durability, and a load for it. Disposing stops the nodes.</summary>
/// <param name="nodeCount">How many.</param>
internal abstract class Peer(int nodeCount = Peer.ComparedNodeCount) : IAsyncDisposable
{
    /// <summary>How many nodes each system has that is compared with others.</summary>
    protected const int ComparedNodeCount = 3;

    /// <summary>Its name in the results.</summary>
    public abstract string Name { get; }

    /// <summary>Whether writes can go through a node that does not lead, and cost more there.</summary>
    public virtual bool HasFollowers => false;

    /// <summary>What all its nodes have in memory now, in bytes, each page counted once.</summary>
    public long MemoryBytes => Running.Sum(node => node.MemoryBytes);

    protected int NodeCount => nodeCount;

    /// <summary>The nodes by their ids; null before they are started.</summary>
    protected PeerProcess?[] Nodes { get; } = new PeerProcess?[nodeCount];

    protected IEnumerable<PeerProcess> Running => Nodes.OfType<PeerProcess>();

    /// <summary>What it is asked to do; null where it has no such thing.</summary>
    /// <param name="job">What the clients do.</param>
    public abstract string? Describe(Job job);

    /// <summary>Starts the nodes and fills in what is read.</summary>
    /// <exception cref="ToolException">One of them does not come up.</exception>
    public abstract Task StartAsync(CancellationToken cancellation);

    /// <summary>Runs a load, through the node that takes writes best, or through another one.</summary>
    /// <param name="job">One that <see cref="Describe"/> knows.</param>
    /// <param name="throughFollower">Whether the clients speak to a node that does not lead. False where there is no such thing.</param>
    /// <param name="clients">How many at once, each with one request under way.</param>
    /// <param name="load">How long.</param>
    /// <param name="cancellation">Ends it.</param>
    public abstract Task<Sample> RunAsync(Job job, bool throughFollower, int clients, LoadTime load, CancellationToken cancellation);

    /// <summary>Kills the node that leads, as <c>kill -9</c> does, and starts it again once another one takes writes; null where nobody takes over by itself.</summary>
    /// <returns>From the kill to the next write that another node has taken.</returns>
    public virtual Task<TimeSpan?> FailOverAsync(CancellationToken cancellation) => Task.FromResult<TimeSpan?>(null);

    public virtual ValueTask DisposeAsync()
    {
        foreach (var node in Running)
        {
            node.Dispose();
        }

        return ValueTask.CompletedTask;
    }

    protected static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}

/// <summary>How long a load runs, unmeasured and measured.</summary>
/// <param name="WarmUp">Before anything counts.</param>
/// <param name="Measured">After it.</param>
internal readonly record struct LoadTime(TimeSpan WarmUp, TimeSpan Measured);
