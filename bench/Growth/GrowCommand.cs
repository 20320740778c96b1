using System.CommandLine;
using DistDb.Tools;

namespace DistDb.Bench.Growth;

/// <summary><c>distdb-bench grow</c>: starts clusters, has them grow, and measures what that costs.</summary>
internal static class GrowCommand
{
    private static readonly string[] _axes = ["rows", "nodes", "values", "databases", "log"];

    public static Command Create()
    {
        var rows = Sizes("--rows", "Rows of one table", "10000,1000000,10000000");
        var nodes = Sizes("--nodes", "Nodes of the cluster", "3,5,7");
        var values = Sizes("--values", "Bytes of one value", "100,1000,10000,100000,1048576");
        var databases = Sizes("--databases", "Databases of the cluster", "1,10,100,1000");
        var log = Sizes("--log-seconds", "Seconds of writing a hundred rows a request", "30,120,300");
        var only = OptionLists.Create<int>(
            "--only", "What is to grow", string.Join(',', _axes), text => Array.IndexOf(_axes, text) is var i and >= 0 ? i : null);
        var seconds = new Option<int>("--seconds") { Description = "How long each load is measured", DefaultValueFactory = _ => 5 };
        var warmUp = new Option<int>("--warm-up") { Description = "How many seconds each load runs before", DefaultValueFactory = _ => 1 };
        var practice = new Option<int>("--practice") { Description = "How many seconds each cluster writes, and reads, before anything is measured", DefaultValueFactory = _ => 15 };
        var command = new Command("grow", "Starts clusters on this machine, has them grow in one thing after the other, and measures speed, memory, files and start") { rows, nodes, values, databases, log, only, seconds, warmUp, practice };
        command.SetTool(async (parsed, cancellation) =>
        {
            var folder = Directory.CreateTempSubdirectory("distdb-grow-");
            try
            {
                var plan = new GrowthPlan
                {
                    Rows = Chosen(rows, 0),
                    Nodes = Chosen(nodes, 1),
                    Values = Chosen(values, 2),
                    Databases = Chosen(databases, 3),
                    LogSeconds = Chosen(log, 4),
                    Load = new(TimeSpan.FromSeconds(parsed.GetValue(warmUp)), TimeSpan.FromSeconds(parsed.GetValue(seconds))),
                    Practice = TimeSpan.FromSeconds(parsed.GetValue(practice)),
                };
                await new GrowthMeasurement(folder.FullName, plan, Console.Error, Console.Out).RunAsync(cancellation).ConfigureAwait(false);
                return ExitCode.Success;
            }
            finally
            {
                folder.Delete(recursive: true);
            }

            int[] Chosen(Option<int[]> sizes, int axis) => parsed.GetRequiredValue(only).Contains(axis) ? [.. parsed.GetRequiredValue(sizes).Order()] : [];
        });
        return command;
    }

    private static Option<int[]> Sizes(string name, string description, string byDefault) =>
        OptionLists.Create<int>(name, description, byDefault, text => int.TryParse(text, out var size) && size > 0 ? size : null);
}
