using System.Text.Json;
using DistDb.Tools;

namespace DistDb.Bench.Compare;

/// <summary>Prints a comparison: tables for people, JSON for programs.</summary>
internal static class ComparisonReport
{
    private static readonly JsonSerializerOptions _json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    public static void PrintTable(TextWriter output, ComparisonOutcome outcome, string self)
    {
        var loads = new ToolTable("what", "clients", "system", "per second", $"{self} is", "p50 ms", "p99 ms", "failed");
        foreach (var line in outcome.Lines.OrderBy(line => Order(outcome, line.What)).ThenBy(line => line.Clients))
        {
            var own = outcome.Lines.FirstOrDefault(other => other.System == self && other.What == line.What && other.Clients == line.Clients);
            loads.Add(
                line.What, Report.Number(line.Clients, "N0"), line.System, Report.Number(line.Median.PerSecond, "N0"),
                own is null || own == line ? "" : Report.Number(own.Median.PerSecond / line.Median.PerSecond, "0.00") + " times",
                Report.Number(line.Median.P50Ms, "0.00"), Report.Number(line.Median.P99Ms, "0.00"), Report.Number(line.Median.Failed, "N0"));
        }

        loads.Write(output, isCsv: false);
        var rest = new ToolTable("system", "MiB of three nodes", "leader killed: median ms", "longest ms", "times");
        foreach (var (system, memory) in outcome.MemoryBytes)
        {
            var times = outcome.FailOvers[system];
            rest.Add(
                system, Report.Number(memory >> 20, "N0"), times.Count == 0 ? "" : Report.Number(times[times.Count / 2].TotalMilliseconds, "N0"),
                times.Count == 0 ? "" : Report.Number(times[^1].TotalMilliseconds, "N0"), Report.Number(times.Count, "N0"));
        }

        rest.Write(output, isCsv: false);
        if (P50Of("write", self) is { } write && P50Of(Comparison.DiskSynced, "machine") is { } sync && P50Of(Comparison.RoundTrip, "machine") is { } trip)
        {
            output.WriteLine(
                $"One write alone took {Report.Number(write, "0.00")} ms: {Report.Number(write / (sync + trip), "0.0")} times a sync ({Report.Number(sync, "0.000")} ms) and a round trip ({Report.Number(trip, "0.000")} ms).");
        }

        double? P50Of(string what, string system) => outcome.Lines.FirstOrDefault(line => line.What == what && line.Clients == 1 && line.System == system)?.Median.P50Ms;
    }

    public static string ToJson(ComparisonOutcome outcome) => JsonSerializer.Serialize(
        new
        {
            Loads = outcome.Lines.Select(line => new
            {
                line.What,
                line.Clients,
                line.System,
                PerSecond = Math.Round(line.Median.PerSecond, 1),
                P50Ms = Math.Round(line.Median.P50Ms, 3),
                P99Ms = Math.Round(line.Median.P99Ms, 3),
                line.Median.Failed,
            }),
            outcome.MemoryBytes,
            FailOverMs = outcome.FailOvers.ToDictionary(one => one.Key, one => one.Value.Select(time => Math.Round(time.TotalMilliseconds))),
        },
        _json);

    private static int Order(ComparisonOutcome outcome, string what) => outcome.Lines.Select(line => line.What).Distinct().ToList().IndexOf(what);
}
