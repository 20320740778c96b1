using System.Diagnostics;
using System.Globalization;
using DistDb.Tests.Support;

namespace DistDb.Bench.Compare;

/// <summary>One whose nodes elect a leader and are spoken to by HTTP.</summary>
/// <param name="portsPerNode">How many ports each of them takes; clients come to the first <see cref="Peer.NodeCount"/>.</param>
/// <param name="nodeCount">How many nodes.</param>
internal abstract class HttpPeer(int portsPerNode, int nodeCount = Peer.ComparedNodeCount) : Peer(nodeCount)
{
    protected int BasePort { get; } = FreePorts.Find(portsPerNode * nodeCount);

    public override bool HasFollowers => true;

    public override async Task StartAsync(CancellationToken cancellation)
    {
        for (var id = 0; id < NodeCount; id++)
        {
            Start(id);
        }

        await WaitUntilReadyAsync(cancellation).ConfigureAwait(false);
        await PrepareAsync(cancellation).ConfigureAwait(false);
    }

    public override Task<Sample> RunAsync(Job job, bool throughFollower, int clients, LoadTime load, CancellationToken cancellation) =>
        RunAsync(client => RequestsOf(job, client), throughFollower, clients, load, cancellation);

    public override async Task<TimeSpan?> FailOverAsync(CancellationToken cancellation)
    {
        var leader = await FindLeaderAsync(cancellation).ConfigureAwait(false);
        var write = RequestsOf(Job.Write, 0)[0];
        var started = Stopwatch.GetTimestamp();
        Nodes[leader]!.Kill();
        await HttpLoad.UntilTakenAsync(Enumerable.Range(0, NodeCount).Where(id => id != leader).Select(AddressOf), write, cancellation).ConfigureAwait(false);
        var elapsed = Stopwatch.GetElapsedTime(started);
        Nodes[leader]!.Dispose();
        Start(leader);
        await WaitUntilReadyAsync(cancellation).ConfigureAwait(false);
        return elapsed;
    }

    /// <summary>Runs a load of requests.</summary>
    protected async Task<Sample> RunAsync(Func<int, byte[][]> requestsOf, bool throughFollower, int clients, LoadTime load, CancellationToken cancellation)
    {
        var leader = await FindLeaderAsync(cancellation).ConfigureAwait(false);
        return await HttpLoad.RunAsync(AddressOf(throughFollower ? (leader + 1) % NodeCount : leader), clients, load, requestsOf, cancellation).ConfigureAwait(false);
    }

    protected Uri AddressOf(int id) => new(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{BasePort + id}"));

    /// <summary>Starts a node, also again on the files that it left.</summary>
    protected abstract void Start(int id);

    /// <summary>Fills in what is read.</summary>
    protected abstract Task PrepareAsync(CancellationToken cancellation);

    protected abstract Task WaitUntilReadyAsync(CancellationToken cancellation);

    protected abstract Task<int> FindLeaderAsync(CancellationToken cancellation);

    /// <summary>A client's requests, which it sends round and round.</summary>
    protected abstract byte[][] RequestsOf(Job job, int client);
}
