using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using DistDb.Node.Api;
using Spectre.Console;

namespace DistDb.Tools.Bench;

/// <summary><c>distdb bench</c>: puts a load on a cluster, and says how it bore it.</summary>
public static class BenchTool
{
    private static readonly string[] _throughs = ["all", "leader", "follower"];

    public static Command Create()
    {
        var mix = new Option<LoadMix>("--mix")
        {
            Description = "What the clients do, each with a weight: insert, update, read, transaction (two updates and an insert)",
            HelpName = "operation=weight,...",
            CustomParser = result => LoadMix.Parse(result, result.Tokens[0].Value),
            DefaultValueFactory = result => LoadMix.Parse(result, "insert=30,update=10,read=60"),
        };
        var clients = IntegerOption.Create("--clients", "How many clients there are, each with one request under way", "clients", 16, 1, 4096);
        var duration = IntegerOption.Create("--duration", "How long it is measured", "seconds", 10, 1, 86_400);
        var warmUp = IntegerOption.Create("--warm-up", "How long the load runs before", "seconds", 1, 0, 3600);
        var through = new Option<string>("--through") { Description = "Which nodes the clients speak to", DefaultValueFactory = _ => "all" };
        through.AcceptOnlyFromAmong(_throughs);
        var strong = new Option<bool>("--strong") { Description = "Reads see every write that was answered anywhere before" };
        var rows = IntegerOption.Create("--rows", "How many rows there are to read and update", "rows", 1000, 1, 1_000_000);
        var bytes = IntegerOption.Create("--value-bytes", "How long a row's text is", "bytes", 100, 1, 1_000_000);
        var database = new Option<string?>("--database", "-d")
        {
            Description = "Make a table in this database [default: a database of its own, which takes an admin's token where there are tokens]",
            HelpName = "name",
        };
        var options = new ConnectionOptions();
        var command = new Command(
            "bench",
            """
            Measure what the cluster bears: so many clients, each sending its next request when the last is answered

            It makes a database of its own (or, with --database, a table), and drops it in the end; both need the master. Rows of
            others are not touched; the history of writes records what it writes. When a node dies, its clients go on at another one, and the errors are counted. Exits with 1 if there were any.

            Examples:
              distdb bench
              distdb bench --mix insert=70,read=30 --clients 64 --duration 60
              distdb bench --mix read --strong --through follower --json
            """) { mix, clients, duration, warmUp, through, strong, rows, bytes, database };
        options.AddTo(command, hasTable: true);
        command.SetTool(async (parsed, cancellation) =>
        {
            var settings = options.Read(parsed);
            using var cluster = await ClusterConnection.OpenAsync(settings, cancellation).ConfigureAwait(false);
            var error = parsed.InvocationConfiguration.Error;
            var table = new LoadTable(parsed.GetValue(database), parsed.GetValue(rows), parsed.GetValue(bytes), parsed.GetValue(strong), settings.Token);
            var plan = new BenchReport.Plan(
                parsed.GetRequiredValue(mix), parsed.GetValue(clients), parsed.GetValue(through)!, parsed.GetValue(strong), table.Description);
            await error.WriteLineAsync($"distdb: making {table.Description}, which is dropped in the end.").ConfigureAwait(false);
            LoadResult result;
            try
            {
                await table.CreateAsync(cluster, settings.Timeout, cancellation).ConfigureAwait(false);
                var generator = await CreateAsync(cluster, plan, table, settings, cancellation).ConfigureAwait(false);
                result = await RunAsync(generator, TimeSpan.FromSeconds(parsed.GetValue(warmUp)), TimeSpan.FromSeconds(parsed.GetValue(duration)), error, cancellation).ConfigureAwait(false);
            }
            finally
            {
                if (table.MayExist)
                {
                    await DropAsync(cluster, table, settings, error).ConfigureAwait(false);
                }
            }

            new BenchReport(plan, result).Write(parsed.InvocationConfiguration.Output, settings);
            return result.Failed == 0 ? ExitCode.Success : ExitCode.BadNews;
        });
        return command;
    }

    private static async Task<LoadGenerator> CreateAsync(
        ClusterConnection cluster, BenchReport.Plan plan, LoadTable table, ConnectionSettings settings, CancellationToken cancellation)
    {
        var status = await cluster.AskAsync(node => cluster.Client.GetClusterAsync(node, cancellation), cancellation).ConfigureAwait(false);
        var nodes = NodesOf(status, plan.Through);
        return new(
            nodes,
            [.. status.Nodes.Select(node => new Uri(node.Address)).Except(nodes)],
            plan.Clients,
            plan.Mix.Parts.Count,
            client => plan.Mix.SourceOf(client, table))
        {
            Timeout = settings.Timeout,
            Trust = settings.Trust,
        };
    }

    /// <exception cref="ToolException">There are none.</exception>
    private static Uri[] NodesOf(ClusterStatus status, string through)
    {
        Uri[] nodes =
        [
            .. status.Nodes.Where(node => node.Reachable && through switch
            {
                "leader" => node.Id == status.Leader,
                "follower" => node.Id != status.Leader,
                _ => true,
            }).Select(node => new Uri(node.Address)),
        ];
        return nodes.Length > 0
            ? nodes
            : throw new ToolException($"The cluster has no {(through == "all" ? "node" : through)} that can be reached now; see 'distdb status'.", ExitCode.BadNews);
    }

    /// <summary>Also when it is interrupted: then what was measured so far counts, and nothing of it is left behind.</summary>
    private static async Task<LoadResult> RunAsync(LoadGenerator generator, TimeSpan warmUp, TimeSpan time, TextWriter error, CancellationToken cancellation)
    {
        var running = generator.RunAsync(warmUp, time, cancellation);
        if (error != Console.Error || Console.IsErrorRedirected)
        {
            return await running.ConfigureAwait(false);
        }

        var start = Stopwatch.GetTimestamp();
        var (lastCount, lastTime) = (0L, start);
        while (await Task.WhenAny(running, Task.Delay(500, CancellationToken.None)).ConfigureAwait(false) != running)
        {
            var (latencies, failed) = generator.Progress;
            var now = Stopwatch.GetTimestamp();
            var rate = (latencies.Count - lastCount) / Stopwatch.GetElapsedTime(lastTime, now).TotalSeconds;
            (lastCount, lastTime) = (latencies.Count, now);
            var seconds = (Stopwatch.GetElapsedTime(start, now) - warmUp).TotalSeconds;
            var text = seconds < 0
                ? "warming up"
                : string.Create(CultureInfo.InvariantCulture, $"{seconds:0} of {time.TotalSeconds:0} s: {rate:N0}/s, p99 {latencies.Percentile(0.99).TotalMilliseconds:0.0} ms, {failed:N0} errors");
            await error.WriteAsync($"\r\e[K{text}").ConfigureAwait(false);
        }

        await error.WriteAsync("\r\e[K").ConfigureAwait(false);
        return await running.ConfigureAwait(false);
    }

    private static async Task DropAsync(ClusterConnection cluster, LoadTable table, ConnectionSettings settings, TextWriter error)
    {
        try
        {
            await table.DropAsync(cluster, settings.Timeout, CancellationToken.None).ConfigureAwait(false);
        }
        catch (NodeException e)
        {
            await error.WriteLineAsync(
                $"distdb: {table.Description} is still there: {e.Message.TrimEnd('.')}. To drop it: distdb shell -c \"{table.DropStatement}\" --database {(table.DropStatement.StartsWith("DROP DATABASE", StringComparison.Ordinal) ? "main" : table.Database)}").ConfigureAwait(false);
        }
    }
}
