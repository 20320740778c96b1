using System.CommandLine;
using DistDb.Tools;

namespace DistDb.Bench.Compare;

/// <summary><c>distdb-bench compare</c>: starts DistDb and others, and measures them in turns.</summary>
internal static class CompareCommand
{
    private static readonly string[] _names = ["etcd", "postgresql", "galera"];

    public static Command Create()
    {
        var peers = OptionLists.Create<int>(
            "--peers", "With what DistDb is compared", string.Join(',', _names), text => Array.IndexOf(_names, text) is var i and >= 0 ? i : null);
        var clients = OptionLists.Clients("1,16,64,256");
        var seconds = new Option<int>("--seconds") { Description = "How long each load is measured", DefaultValueFactory = _ => 5 };
        var warmUp = new Option<int>("--warm-up") { Description = "How many seconds each load runs before", DefaultValueFactory = _ => 1 };
        var practice = new Option<int>("--practice")
        {
            Description = "How many seconds each system does each kind of work before anything is measured, as code that is compiled while it runs gets better for a while",
            DefaultValueFactory = _ => 15,
        };
        var rounds = new Option<int>("--rounds") { Description = "How often everything is measured, for medians", DefaultValueFactory = _ => 3 };
        var failOvers = new Option<int>("--failovers") { Description = "How often the leader is killed", DefaultValueFactory = _ => 5 };
        var json = new Option<bool>("--json") { Description = "Print JSON" };
        var command = new Command("compare", "Starts three nodes each of DistDb and of others on this machine, and measures them in turns") { peers, clients, seconds, warmUp, practice, rounds, failOvers, json };
        command.SetTool(async (parsed, cancellation) =>
        {
            var folder = Directory.CreateTempSubdirectory("distdb-compare-");
            try
            {
                // Others run as users of their own.
                folder.UnixFileMode |= UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
                var outcome = await RunAsync(
                    folder.FullName,
                    [.. parsed.GetRequiredValue(peers).Select(i => _names[i])],
                    new()
                    {
                        Clients = parsed.GetRequiredValue(clients),
                        Load = new(TimeSpan.FromSeconds(parsed.GetValue(warmUp)), TimeSpan.FromSeconds(parsed.GetValue(seconds))),
                        Practice = TimeSpan.FromSeconds(parsed.GetValue(practice)),
                        Rounds = parsed.GetValue(rounds),
                        FailOvers = parsed.GetValue(failOvers),
                    },
                    cancellation).ConfigureAwait(false);
                if (parsed.GetValue(json))
                {
                    Console.WriteLine(ComparisonReport.ToJson(outcome));
                }
                else
                {
                    ComparisonReport.PrintTable(Console.Out, outcome, "distdb");
                }

                return ExitCode.Success;
            }
            finally
            {
                folder.Delete(recursive: true);
            }
        });
        return command;
    }

    private static async Task<ComparisonOutcome> RunAsync(string folder, IReadOnlyList<string> names, ComparisonPlan plan, CancellationToken cancellation)
    {
        var distDb = new DistDbPeer(FolderOf(folder, "distdb"));
        Peer[] others = [.. names.Select(name => Create(name, FolderOf(folder, name)))];
        try
        {
            foreach (var peer in others.Prepend(distDb))
            {
                await Console.Error.WriteLineAsync($"{peer.Name} starts").ConfigureAwait(false);
                await peer.StartAsync(cancellation).ConfigureAwait(false);
            }

            return await new Comparison(distDb, others, folder, plan, Console.Error).RunAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            foreach (var peer in others.Prepend(distDb))
            {
                await peer.DisposeAsync().ConfigureAwait(false);
            }
        }
    }

    private static Peer Create(string name, string folder) => name switch
    {
        "etcd" => new EtcdPeer(folder),
        "postgresql" => new PostgresPeer(folder),
        "galera" => new GaleraPeer(folder),
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, null),
    };

    private static string FolderOf(string folder, string name)
    {
        var own = Directory.CreateDirectory(Path.Combine(folder, name));
        own.UnixFileMode = (UnixFileMode)0x1FF;
        return own.FullName;
    }
}
