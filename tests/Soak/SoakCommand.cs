using System.CommandLine;
using System.Security.Cryptography;

namespace DistDb.Tests.Soak;

/// <summary>Long runs: <c>soak MINUTES [--seed N] [--nodes N]</c>. Exit code 0 if nothing was found, 1 otherwise.</summary>
internal static class SoakCommand
{
    public static int Run(string[] args)
    {
        var minutes = new Argument<double>("minutes") { Description = "How long faults are injected" };
        var seed = new Option<int?>("--seed") { Description = "Decides about faults and clients; drawn and printed where it is not given" };
        var nodes = new Option<int>("--nodes") { Description = "How many nodes, the master included", DefaultValueFactory = _ => 3 };
        var command = new RootCommand("Uses a cluster of real processes while everything goes wrong, and checks that nothing is lost, doubled or stale") { minutes, seed, nodes };
        command.SetAction((parsed, _) => RunAsync(new()
        {
            Seed = parsed.GetValue(seed) ?? RandomNumberGenerator.GetInt32(int.MaxValue),
            Duration = TimeSpan.FromMinutes(parsed.GetValue(minutes)),
            NodeCount = parsed.GetValue(nodes),
        }));
        return command.Parse(args).Invoke();
    }

    private static async Task<int> RunAsync(SoakOptions options)
    {
        Console.WriteLine($"seed {options.Seed}");
        var report = await SoakRun.RunAsync(options, Console.WriteLine);
        Console.WriteLine();
        Console.Write(report);
        return report.IsClean ? 0 : 1;
    }
}
