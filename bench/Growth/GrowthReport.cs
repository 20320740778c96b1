using DistDb.Bench.Compare;
using DistDb.Tools;

namespace DistDb.Bench.Growth;

/// <summary>What a load did at one size.</summary>
/// <param name="Size">The size, e.g. <c>1,000,000 rows</c>.</param>
/// <param name="What">The load.</param>
/// <param name="Clients">How many at once.</param>
/// <param name="Sample">What it did.</param>
/// <param name="Alone">How many in a second SQLite does alone at that size; null where there is no such thing.</param>
internal sealed record GrowthLoad(string Size, string What, int Clients, Sample Sample, double? Alone);

/// <summary>What the nodes are at one size.</summary>
/// <param name="Size">The size.</param>
/// <param name="NodeMemoryBytes">What a node has in memory, on average, pages that several share counted in parts.</param>
/// <param name="Files">The files of one node, by their paths in its folder, in bytes.</param>
/// <param name="Ready">From the start of a follower that was killed until it serves.</param>
internal sealed record GrowthState(string Size, long NodeMemoryBytes, IReadOnlyDictionary<string, long> Files, TimeSpan Ready)
{
    public long LogBytes => BytesOf(path => path.StartsWith("raft.db", StringComparison.Ordinal));

    public long HistoryBytes => BytesOf(path => path.StartsWith("databases/history_query.db", StringComparison.Ordinal));

    public long OtherBytes => Files.Values.Sum() - LogBytes - HistoryBytes;

    private long BytesOf(Func<string, bool> isIt) => Files.Where(file => isIt(file.Key)).Sum(file => file.Value);
}

/// <summary>Prints what became of a cluster that grew.</summary>
internal static class GrowthReport
{
    public static void Print(TextWriter output, IEnumerable<GrowthLoad> loads, IEnumerable<GrowthState> states)
    {
        var table = new ToolTable("size", "load", "clients", "per second", "SQLite alone", "p50 ms", "p99 ms", "failed");
        foreach (var load in loads)
        {
            table.Add(
                load.Size, load.What, Report.Number(load.Clients, "N0"), Report.Number(load.Sample.PerSecond, "N0"), load.Alone is { } alone ? Report.Number(alone, "N0") : "",
                Report.Number(load.Sample.P50Ms, "0.00"), Report.Number(load.Sample.P99Ms, "0.00"), Report.Number(load.Sample.Failed, "N0"));
        }

        table.Write(output, isCsv: false);
        var rest = new ToolTable("size", "MiB in memory, each node", "MiB on disk: log", "history", "the rest", "ready in s after kill -9");
        foreach (var state in states)
        {
            rest.Add(state.Size, MiB(state.NodeMemoryBytes), MiB(state.LogBytes), MiB(state.HistoryBytes), MiB(state.OtherBytes), Report.Number(state.Ready.TotalSeconds, "0.00"));
        }

        rest.Write(output, isCsv: false);
    }

    private static string MiB(long bytes) => Report.Number(bytes / (double)(1 << 20), "N0");
}
