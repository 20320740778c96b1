using System.Collections.Concurrent;
using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using DistDb.Node.Api;
using DistDb.Node.Commands;
using Spectre.Console;

namespace DistDb.Tools;

/// <summary><c>distdb send-dummy</c>: fills the table <c>users</c> with made-up rows, through any node.</summary>
public static class SendDummyTool
{
    private const string CreateTableSql =
        "CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, username TEXT UNIQUE, email TEXT, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)";

    private const string InsertSql = "INSERT INTO users (username, email) VALUES (?, ?)";

    public static Command Create()
    {
        var count = IntegerOption.Create("--count", "How many rows to insert", "rows", 10, 1);
        var concurrency = IntegerOption.Create("--concurrency", "How many inserts to have under way at once", "inserts", 1, 1, 1024);
        var retryFor = IntegerOption.Create("--retry-for", "How many seconds to keep trying an insert while the cluster is not able to take it", "seconds", 30, 0, 3600);
        var to = new Option<int?>("--to")
        {
            Description = "Send to this node only [default: all in turn]",
            HelpName = "id",
            CustomParser = result => IntegerOption.Parse(result, result.Tokens[0].Value, "--to", 0, int.MaxValue),
        };
        var prefix = new Option<string>("--prefix")
        {
            Description = "What the usernames begin with",
            HelpName = "text",
            DefaultValueFactory = _ => "user",
        };

        var options = new ConnectionOptions();
        var command = new Command("send-dummy", """
            Create the table users and insert made-up rows

            Examples:
              distdb send-dummy --count 1000
              distdb send-dummy --count 100 --to 1 --concurrency 8
            """) { count, concurrency, to, prefix, retryFor };
        options.AddTo(command);
        command.SetTool(async (parsed, cancellation) =>
        {
            var settings = options.Read(parsed);
            using var connection = await ClusterConnection.OpenAsync(settings, cancellation).ConfigureAwait(false);
            var limit = TimeSpan.FromSeconds(parsed.GetValue(retryFor));
            var cluster = await connection.AskAsync(node => connection.Client.GetClusterAsync(node, cancellation), cancellation).ConfigureAwait(false);
            var targets = Targets(cluster, parsed.GetValue(to));
            await CreateTableAsync(connection, cluster, limit, cancellation).ConfigureAwait(false);

            var run = new Run(connection.Client, targets, limit, parsed.GetValue(count), parsed.GetValue(prefix)!);
            var output = parsed.InvocationConfiguration.Output;
            var console = ToolConsole.Create(output);
            if (console.Profile.Out.IsTerminal && !settings.Json)
            {
                await InsertWithProgressAsync(console, run, parsed.GetValue(concurrency), cancellation).ConfigureAwait(false);
            }
            else
            {
                await run.InsertAllAsync(parsed.GetValue(concurrency), cancellation).ConfigureAwait(false);
            }

            foreach (var (message, failures) in run.Failures)
            {
                await parsed.InvocationConfiguration.Error.WriteLineAsync($"distdb: {failures} failed: {message}").ConfigureAwait(false);
            }

            if (settings.Json)
            {
                await output.WriteLineAsync(run.ToJson()).ConfigureAwait(false);
            }
            else
            {
                console.Line(run.ToString());
            }

            return run.Inserted == run.Count ? ExitCode.Success : ExitCode.BadNews;
        });
        return command;
    }

    private static Uri[] Targets(ClusterStatus cluster, int? to)
    {
        var targets = cluster.Nodes.Where(node => to is null || node.Id == to).OrderBy(node => node.Id).Select(node => new Uri(node.Address)).ToArray();
        return targets.Length > 0
            ? targets
            : throw new ToolException(
                $"There is no node {to} in this cluster; its nodes are {string.Join(", ", cluster.Nodes.Select(node => node.Id).Order())}.",
                ExitCode.WrongUsage);
    }

    /// <summary>Only the master may create the table; where it exists already, the master need not be there.</summary>
    private static async Task CreateTableAsync(
        ClusterConnection connection, ClusterStatus cluster, TimeSpan limit, CancellationToken cancellation)
    {
        var client = connection.Client;
        var look = NodeRequest.Query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'users'");
        var existing = await connection.AskAsync(node => client.QueryAsync(node, look, cancellation), cancellation).ConfigureAwait(false);
        if (existing.Rows.Count > 0)
        {
            return;
        }

        var master = cluster.Nodes.FirstOrDefault(node => node.Id == cluster.Master)
            ?? throw new ToolException($"The master, node {cluster.Master}, is not a member of the cluster.", ExitCode.BadNews);
        var create = NodeRequest.Exec(CreateTableSql) with { Id = NewId() };
        try
        {
            await Failover.AskAsync([new(master.Address)], 0, limit, node => client.ExecAsync(node, create, cancellation), cancellation).ConfigureAwait(false);
        }
        catch (NodeException e)
        {
            throw new ToolException(
                $"The table users cannot be created, which only the master (node {master.Id}) can do: {e.Message.TrimEnd('.')}.", ExitCode.BadNews);
        }
    }

    private static Task InsertWithProgressAsync(IAnsiConsole console, Run run, int concurrency, CancellationToken cancellation) =>
        console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(async progress =>
            {
                var task = progress.AddTask("Inserting", maxValue: run.Count);
                var inserting = run.InsertAllAsync(concurrency, cancellation);
                while (!inserting.IsCompleted)
                {
                    task.Value = run.Inserted + run.Failed;
                    task.Description = string.Create(CultureInfo.InvariantCulture, $"Inserting, {run.Rate:N0}/s");
                    await Task.WhenAny(inserting, Task.Delay(100, CancellationToken.None)).ConfigureAwait(false);
                }

                await inserting.ConfigureAwait(false);
            });

    private static string NewId() => RandomNumberGenerator.GetHexString(16, lowercase: true);

    /// <summary>One run: what it inserts and how far it is. Read by the progress bar while it goes on.</summary>
    private sealed class Run(ClusterClient client, IReadOnlyList<Uri> targets, TimeSpan limit, int count, string prefix)
    {
        private readonly string _id = NewId();
        private readonly ConcurrentDictionary<string, int> _failures = new(StringComparer.Ordinal);
        private readonly long _start = TimeProvider.System.GetTimestamp();
        private int _next;
        private int _inserted;
        private int _failed;
        private TimeSpan? _duration;

        public int Count => count;

        public int Inserted => Volatile.Read(ref _inserted);

        public int Failed => Volatile.Read(ref _failed);

        /// <summary>Each distinct failure with its number of inserts, the most frequent first.</summary>
        public IEnumerable<KeyValuePair<string, int>> Failures => _failures.OrderByDescending(failure => failure.Value);

        /// <summary>Rows inserted for each second so far.</summary>
        public double Rate => Inserted / Duration.TotalSeconds;

        private TimeSpan Duration => _duration ?? TimeProvider.System.GetElapsedTime(_start);

        /// <summary>Inserts all; ends early, without an exception, when cancelled: what was done is worth telling.</summary>
        public async Task InsertAllAsync(int concurrency, CancellationToken cancellation)
        {
            await Task.WhenAll(Enumerable.Range(0, Math.Min(concurrency, count)).Select(_ => InsertSomeAsync(cancellation))).ConfigureAwait(false);
            _duration = TimeProvider.System.GetElapsedTime(_start);
        }

        public string ToJson() => JsonSerializer.Serialize(
            new(_id, Inserted, Failed, count - Inserted - Failed, Duration.TotalSeconds, Rate), RunJson.Default.RunSummary);

        public override string ToString()
        {
            var unsent = count - Inserted - Failed;
            return string.Create(
                CultureInfo.InvariantCulture,
                $"Inserted {Inserted:N0}, failed {Failed:N0}{(unsent > 0 ? $", interrupted before {unsent:N0}" : "")}; {Duration.TotalSeconds:0.0} s, {Rate:N0} inserts/s.");
        }

        private async Task InsertSomeAsync(CancellationToken cancellation)
        {
            for (int i; (i = Interlocked.Increment(ref _next) - 1) < count;)
            {
                var username = $"{prefix}-{_id}-{i}";
                var insert = NodeRequest.Exec(InsertSql, SqlValue.From(username), SqlValue.From($"{username}@example.org")) with { Id = $"{_id}-{i}" };
                try
                {
                    await Failover.AskAsync(targets, i, limit, node => client.ExecAsync(node, insert, cancellation), cancellation).ConfigureAwait(false);
                    Interlocked.Increment(ref _inserted);
                }
                catch (NodeException e)
                {
                    Interlocked.Increment(ref _failed);
                    _failures.AddOrUpdate(e.Message, 1, (_, failures) => failures + 1);
                }
                catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
                {
                    return;
                }
            }
        }
    }
}
