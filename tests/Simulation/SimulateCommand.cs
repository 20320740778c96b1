using System.CommandLine;
using System.Diagnostics;

namespace DistDb.Tests.Simulation;

/// <summary>Long runs, and one seed again: <c>simulate [--seeds N] [--from S] [--seed S [--trace]] [--sabotage WHAT]</c>.</summary>
internal static class SimulateCommand
{
    public static int Run(string[] args)
    {
        var seeds = new Option<int>("--seeds") { Description = "How many seeds to run", DefaultValueFactory = _ => 1000 };
        var from = new Option<int>("--from") { Description = "The first of them" };
        var seed = new Option<int?>("--seed") { Description = "Run this one alone" };
        var trace = new Option<bool>("--trace") { Description = "Print every event of it" };
        var sabotage = new Option<Sabotage>("--sabotage") { Description = "A promise to break" };
        var command = new RootCommand("Simulates clusters of the Raft core in broken worlds") { seeds, from, seed, trace, sabotage };
        command.SetAction(parsed => parsed.GetValue(seed) is { } one
            ? RunAll(one, 1, parsed.GetValue(sabotage), parsed.GetValue(trace) ? Console.Out : null)
            : RunAll(parsed.GetValue(from), parsed.GetValue(seeds), parsed.GetValue(sabotage), null));
        return command.Parse(args).Invoke();
    }

    private static int RunAll(int first, int count, Sabotage sabotage, TextWriter? trace)
    {
        const int ReportEvery = 500;
        var watch = Stopwatch.StartNew();
        SimulationResult? sum = null;
        for (var i = 0; i < count; i++)
        {
            try
            {
                var result = Simulation.Run(first + i, sabotage, trace);
                sum = sum is null ? result : sum + result;
            }
            catch (SimulationFailedException e)
            {
                Console.Error.WriteLine(e.Message);
                Console.Error.WriteLine(e.InnerException);
                return 1;
            }

            if ((i + 1) % ReportEvery == 0 || i + 1 == count)
            {
                Console.WriteLine(
                    $"{i + 1} seeds in {watch.Elapsed.TotalSeconds:F1} s: {sum!.StepCount} steps, {sum.LeaderCount} leaders, "
                    + $"{sum.CommittedCount} commits, {sum.ReadCount} reads, {sum.CrashCount} crashes, {sum.ReplacedCount} replaced entries, {sum.SnapshotCount} snapshots, "
                    + $"{sum.ChangeCount} membership changes, {sum.WipeCount} lost logs, {sum.StuckCount} stuck");
            }
        }

        if (count == 1)
        {
            Console.WriteLine($"trace hash {sum!.TraceHash:x16}");
        }

        return 0;
    }
}
