using System.Globalization;
using DistDb.Bench.Compare;
using DistDb.Node.Commands;
using DistDb.Tools;

namespace DistDb.Bench.Growth;

/// <summary>Measures what becomes of a cluster's speed, memory, files and start as one thing after the other grows, each on a cluster of its own.</summary>
/// <param name="folder">Where everything goes.</param>
/// <param name="plan">What to measure.</param>
/// <param name="progress">Told what is being measured.</param>
/// <param name="output">Where each table goes as soon as it is complete.</param>
internal sealed class GrowthMeasurement(string folder, GrowthPlan plan, TextWriter progress, TextWriter output)
{
    private const int UsualNodes = 3;
    private const int ManyClients = 64;
    private const int SomeClients = 16;
    private const int RowsPerFill = 100_000;

    /// <summary>How many different requests a client has: enough that a load hardly comes to one row twice.</summary>
    private const int RequestsPerClient = 2048;

    private static readonly string _value = new('v', 100);

    public async Task RunAsync(CancellationToken cancellation)
    {
        await GrowAsync("rows", plan.Rows, UsualNodes, GrowRowsAsync, cancellation).ConfigureAwait(false);
        foreach (var nodes in plan.Nodes)
        {
            await GrowAsync("nodes", [nodes], nodes, GrowNodesAsync, cancellation).ConfigureAwait(false);
        }

        await GrowAsync("bytes a value", plan.Values, UsualNodes, GrowValuesAsync, cancellation).ConfigureAwait(false);
        await GrowAsync("databases", plan.Databases, UsualNodes, GrowDatabasesAsync, cancellation).ConfigureAwait(false);
        await GrowAsync("s of writing", plan.LogSeconds, UsualNodes, GrowLogAsync, cancellation).ConfigureAwait(false);
    }

    /// <summary>Has a cluster grow from size to size, and prints what came of it.</summary>
    private async Task GrowAsync(string unit, IReadOnlyList<int> sizes, int nodes, Func<Grown, int, int, CancellationToken, Task> grow, CancellationToken cancellation)
    {
        if (sizes.Count == 0)
        {
            return;
        }

        var own = Directory.CreateDirectory(Path.Combine(folder, unit));
        await progress.WriteLineAsync($"{unit}: practice").ConfigureAwait(false);
        var peer = new DistDbPeer(own.FullName, nodes);
        await using (peer.ConfigureAwait(false))
        {
            using var alone = new SqliteAlone(own.FullName, GrowthTable.Create);
            await peer.StartAsync(cancellation).ConfigureAwait(false);
            await peer.ExecuteAsync(NodeRequest.Exec(GrowthTable.Create), cancellation).ConfigureAwait(false);
            foreach (var operation in new[] { Operation.Write, Operation.Read })
            {
                await peer.RunAsync(operation, ManyClients, new(TimeSpan.Zero, plan.Practice), cancellation).ConfigureAwait(false);
            }

            var states = new List<GrowthState>();
            var loads = new List<GrowthLoad>();
            var before = 0;
            foreach (var size in sizes)
            {
                var name = size.ToString("N0", CultureInfo.InvariantCulture) + " " + unit;
                await progress.WriteLineAsync(name).ConfigureAwait(false);
                await grow(new(name, peer, alone, plan.Load, loads), before, size, cancellation).ConfigureAwait(false);
                var (memory, files) = (peer.MemoryBytes / nodes, peer.FilesOf(0));
                states.Add(new(name, memory, files, await peer.RestartFollowerAsync(cancellation).ConfigureAwait(false)));
                before = size;
            }

            GrowthReport.Print(output, loads, states);
        }

        own.Delete(recursive: true);
    }

    private static async Task GrowRowsAsync(Grown grown, int before, int rows, CancellationToken cancellation)
    {
        for (var left = rows - before; left > 0; left -= RowsPerFill)
        {
            await grown.ExecuteAsync(GrowthTable.Fill, [(long)Math.Min(left, RowsPerFill), _value], cancellation).ConfigureAwait(false);
        }

        await grown.MeasureAsync("insert", GrowthTable.Insert, _ => [_value], ManyClients, 1, cancellation).ConfigureAwait(false);
        await grown.MeasureAsync("update by id", GrowthTable.Update, random => [_value, random.NextInt64(rows) + 1], ManyClients, RequestsPerClient, cancellation).ConfigureAwait(false);
        await grown.MeasureAsync("read by id", GrowthTable.Read, random => [random.NextInt64(rows) + 1], ManyClients, RequestsPerClient, cancellation).ConfigureAwait(false);
    }

    private static async Task GrowNodesAsync(Grown grown, int before, int nodes, CancellationToken cancellation)
    {
        foreach (var clients in new[] { 1, ManyClients })
        {
            await grown.MeasureAsync("insert", _ => NodeRequest.Exec(GrowthTable.Insert, SqlValue.From(_value)), clients, 1, cancellation).ConfigureAwait(false);
        }
    }

    private static async Task GrowValuesAsync(Grown grown, int before, int bytes, CancellationToken cancellation)
    {
        var value = new string('v', bytes);
        await grown.MeasureAsync("insert", GrowthTable.Insert, _ => [value], SomeClients, 1, cancellation).ConfigureAwait(false);
        await grown.ExecuteAsync(GrowthTable.Update, [value, 1L], cancellation).ConfigureAwait(false);
        await grown.MeasureAsync("read by id", GrowthTable.Read, _ => [1L], SomeClients, 1, cancellation).ConfigureAwait(false);
    }

    private static async Task GrowDatabasesAsync(Grown grown, int before, int databases, CancellationToken cancellation)
    {
        for (var i = before; i < databases; i++)
        {
            await grown.Peer.ExecuteAsync(NodeRequest.Exec($"CREATE DATABASE {NameOf(i)}"), cancellation).ConfigureAwait(false);
            await grown.Peer.ExecuteAsync(NodeRequest.Exec(GrowthTable.Create) with { Database = NameOf(i) }, cancellation).ConfigureAwait(false);
        }

        await grown.MeasureAsync(
            "insert into any", random => NodeRequest.Exec(GrowthTable.Insert, SqlValue.From(_value)) with { Database = NameOf(random.Next(databases)) },
            ManyClients, RequestsPerClient, cancellation).ConfigureAwait(false);
        await grown.MeasureAsync(
            "insert into one", _ => NodeRequest.Exec(GrowthTable.Insert, SqlValue.From(_value)) with { Database = NameOf(0) }, ManyClients, 1, cancellation).ConfigureAwait(false);
        await grown.MeasureAsync(
            "read from any", random => NodeRequest.Query(GrowthTable.Read, SqlValue.From(1)) with { Database = NameOf(random.Next(databases)) },
            ManyClients, RequestsPerClient, cancellation).ConfigureAwait(false);

        static string NameOf(int i) => string.Create(CultureInfo.InvariantCulture, $"grown{i}");
    }

    private static async Task GrowLogAsync(Grown grown, int before, int seconds, CancellationToken cancellation)
    {
        var load = new LoadTime(TimeSpan.Zero, TimeSpan.FromSeconds(seconds - before));
        var sample = await grown.Peer.RunAsync(Operation.Rows, SomeClients, load, cancellation).ConfigureAwait(false);
        grown.Loads.Add(new(grown.Size, $"insert {Workload.RowsPerRequest} rows", SomeClients, sample, null));
    }
}
