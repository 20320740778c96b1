using DistDb.Tools;
using DistDb.Tools.Bench;

namespace DistDb.Bench;

/// <summary>Measures one cluster, cell after cell, and the machine's own limits beside it.</summary>
/// <param name="url">Any node.</param>
/// <param name="warmUp">How long each cell runs unmeasured.</param>
/// <param name="time">How long it is measured.</param>
/// <param name="progress">Told what is being measured.</param>
internal sealed class Benchmark(Uri url, TimeSpan warmUp, TimeSpan time, TextWriter progress)
{
    private static readonly TimeSpan _requestTimeout = TimeSpan.FromSeconds(30);

    /// <summary>Runs all cells.</summary>
    /// <exception cref="NodeException">The cluster could not be prepared or asked for its state.</exception>
    public async Task<IReadOnlyList<Measurement>> RunAsync(
        string dataFolder, IReadOnlyList<Operation> operations, IReadOnlyList<string> throughs, IReadOnlyList<int> clientCounts, CancellationToken cancellation)
    {
        using var client = new ClusterClient(_requestTimeout);
        var cluster = await client.GetClusterAsync(url, cancellation).ConfigureAwait(false);
        await Workload.PrepareAsync(client, cluster, cancellation).ConfigureAwait(false);

        await progress.WriteLineAsync("disk: 4 KiB write and sync").ConfigureAwait(false);
        var measurements = new List<Measurement> { new("sync", "disk", 1, DiskProbe.Run(dataFolder, time)) };
        foreach (var operation in operations)
        {
            // What a web server does alone is the same through any of them.
            foreach (var through in operation == Operation.Live ? [throughs[0]] : throughs)
            {
                foreach (var clients in clientCounts)
                {
                    await progress.WriteLineAsync($"{Workload.NameOf(operation)} through {through}, {clients} clients").ConfigureAwait(false);
                    measurements.Add(await MeasureAsync(client, operation, through, clients, cancellation).ConfigureAwait(false));
                }
            }
        }

        await Workload.RemoveAsync(client, await client.GetClusterAsync(url, cancellation).ConfigureAwait(false), cancellation).ConfigureAwait(false);
        return measurements;
    }

    private async Task<Measurement> MeasureAsync(
        ClusterClient client, Operation operation, string through, int clients, CancellationToken cancellation)
    {
        // Asked each time: leadership may move.
        var cluster = await client.GetClusterAsync(url, cancellation).ConfigureAwait(false);
        var leader = cluster.Nodes.FirstOrDefault(node => node.Id == cluster.Leader)
            ?? throw new ToolException("The cluster has no leader now; try again when it has.", ExitCode.BadNews);
        Uri[] nodes = through switch
        {
            "leader" => [new(leader.Address)],
            "follower" => [new(cluster.Nodes.First(node => node.Id != leader.Id || cluster.Nodes.Count == 1).Address)],
            "all" => [.. cluster.Nodes.Select(node => new Uri(node.Address))],
            _ => throw new ArgumentOutOfRangeException(nameof(through), through, null),
        };

        var before = await client.GetStatusAsync(new(leader.Address), cancellation).ConfigureAwait(false);
        var result = await new LoadGenerator(nodes, [], clients, 1, i => Workload.SourceOf(operation, i))
            .RunAsync(warmUp, time, cancellation).ConfigureAwait(false);
        var after = await client.GetStatusAsync(new(leader.Address), cancellation).ConfigureAwait(false);
        var measurement = new Measurement(Workload.NameOf(operation), through, clients, result);
        return operation != Operation.Write
            ? measurement
            : measurement with
            {
                WritesPerSync = Ratio(after.Counters.Writes - before.Counters.Writes, after.Counters.LogSyncs - before.Counters.LogSyncs),
                WritesPerEntry = Ratio(after.Counters.Writes - before.Counters.Writes, after.Counters.Batches - before.Counters.Batches),
            };
    }

    private static double? Ratio(long writes, long others) => others == 0 ? null : (double)writes / others;
}
