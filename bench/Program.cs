using System.CommandLine;
using DistDb.Bench.Compare;
using DistDb.Bench.Growth;
using DistDb.Tools;

namespace DistDb.Bench;

/// <summary>Measures a running cluster; <c>load.sh</c> starts one for it.</summary>
internal static class Program
{
    private static readonly string[] _throughs = ["leader", "follower", "all"];

    private static Task<int> Main(string[] arguments)
    {
        var url = new Option<Uri>("--url")
        {
            Description = "Any node of the cluster, by plain http [DISTDB_URL]",
            DefaultValueFactory = _ => new(Environment.GetEnvironmentVariable("DISTDB_URL") ?? "http://127.0.0.1:8080"),
        };
        var data = new Option<DirectoryInfo>("--data")
        {
            Description = "A folder on the disk whose sync rate is measured, best that of the nodes",
            DefaultValueFactory = _ => new(Path.GetTempPath()),
        };
        data.AcceptExistingOnly();
        var seconds = new Option<double>("--seconds") { Description = "How long each cell is measured", DefaultValueFactory = _ => 5 };
        var warmUp = new Option<double>("--warm-up") { Description = "How many seconds each cell runs before", DefaultValueFactory = _ => 1 };
        var clients = OptionLists.Clients("1,16,64,256");
        var operations = OptionLists.Create<Operation>(
            "--operations", "What to measure", string.Join(',', Enum.GetValues<Operation>().Select(Workload.NameOf)),
            text => Enum.GetValues<Operation>().Select(operation => (Operation?)operation).FirstOrDefault(operation => Workload.NameOf(operation!.Value) == text));
        var through = OptionLists.Create<int>(
            "--through", "Which nodes the clients speak to", string.Join(',', _throughs), text => _throughs.Contains(text) ? _throughs.AsSpan().IndexOf(text) : null);
        var json = new Option<bool>("--json") { Description = "Print JSON" };

        var root = new RootCommand("Measures writes and reads of a DistDb cluster") { url, data, seconds, warmUp, clients, operations, through, json, CompareCommand.Create(), GrowCommand.Create() };
        root.SetTool(async (parsed, cancellation) =>
        {
            var bench = new Benchmark(
                parsed.GetRequiredValue(url), TimeSpan.FromSeconds(parsed.GetValue(warmUp)), TimeSpan.FromSeconds(parsed.GetValue(seconds)), Console.Error);
            var measurements = await bench.RunAsync(
                parsed.GetRequiredValue(data).FullName, parsed.GetRequiredValue(operations),
                [.. parsed.GetRequiredValue(through).Select(i => _throughs[i])], parsed.GetRequiredValue(clients), cancellation).ConfigureAwait(false);
            if (parsed.GetValue(json))
            {
                Console.WriteLine(Report.ToJson(measurements));
            }
            else
            {
                Report.PrintTable(ToolConsole.Create(Console.Out), measurements);
            }

            return measurements.Any(one => one.Result.Failed > 0) ? ExitCode.BadNews : ExitCode.Success;
        });
        return ToolRunner.InvokeAsync(root, arguments);
    }
}
