using System.CommandLine;

namespace DistDb.Tests.Fuzz;

/// <summary><c>fuzz</c>: sends a cluster of real processes requests that nobody would. Exit code 0 if it bore them.</summary>
internal static class FuzzCommand
{
    public static int Run(string[] args)
    {
        var defaults = new FuzzOptions();
        var count = new Argument<int>("count") { Description = "How many requests", DefaultValueFactory = _ => defaults.Count };
        var seed = new Option<int?>("--seed") { Description = "Repeats a run, as far as the machine lets two runs be alike" };
        var first = new Option<int>("--first") { Description = "Position of the first request in the seed's stream" };
        var lanes = new Option<int>("--lanes") { Description = "Requests under way at a time", DefaultValueFactory = _ => defaults.LaneCount };
        var list = new Option<bool>("--list") { Description = "Print the requests instead of sending them" };
        var command = new RootCommand("Sends generated requests and garbage to a cluster, and checks every answer and the cluster itself") { count, seed, first, lanes, list };
        command.SetAction(async (parsed, _) =>
        {
            var options = defaults with
            {
                Count = parsed.GetValue(count),
                Seed = parsed.GetValue(seed) ?? Random.Shared.Next(),
                First = parsed.GetValue(first),
                LaneCount = parsed.GetValue(lanes),
            };
            Console.WriteLine($"seed {options.Seed}");
            if (parsed.GetValue(list))
            {
                for (var i = options.First; i < options.First + options.Count; i++)
                {
                    Console.WriteLine($"{i}: {FuzzRequests.At(options.Seed, i)}");
                }

                return 0;
            }

            var report = await FuzzRun.RunAsync(options, Console.WriteLine);
            Console.Write(report);
            return report.IsClean ? 0 : 1;
        });
        return command.Parse(args).Invoke();
    }
}
