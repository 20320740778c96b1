using System.CommandLine;
using DistDb.Node.Api;
using Spectre.Console;

namespace DistDb.Tools;

/// <summary><c>distdb status</c>: how the cluster is, node by node, once or again and again.</summary>
public static class StatusTool
{
    public static Command Create()
    {
        var watch = new Option<bool>("--watch", "-w") { Description = "Show it again and again, in place on a terminal, until Ctrl-C" };
        var interval = IntegerOption.Create("--interval", "How many seconds lie between two looks of --watch", "seconds", 1, 1, 3600);
        var connection = new ConnectionOptions();
        var command = new Command(
            "status",
            """
            Show how every node is; exits with 1 when one is down or no majority is there

            Examples:
              distdb status
              distdb status --watch --url http://10.0.0.1:8080
              distdb status --json | jq .leader
            """) { watch, interval };
        connection.AddTo(command, hasTable: true);
        command.SetTool(async (parsed, cancellation) =>
        {
            var settings = connection.Read(parsed);
            using var cluster = await ClusterConnection.OpenAsync(settings, cancellation).ConfigureAwait(false);
            var output = parsed.InvocationConfiguration.Output;
            return parsed.GetValue(watch)
                ? await WatchAsync(cluster, settings, TimeSpan.FromSeconds(parsed.GetValue(interval)), output, cancellation).ConfigureAwait(false)
                : Show(await AskAsync(cluster, cancellation).ConfigureAwait(false), settings, output);
        });
        return command;
    }

    private static Task<ClusterStatus> AskAsync(ClusterConnection cluster, CancellationToken cancellation) =>
        cluster.AskAsync(node => cluster.Client.GetClusterAsync(node, cancellation), cancellation);

    private static int Show(ClusterStatus status, ConnectionSettings settings, TextWriter output)
    {
        var summary = ClusterSummary.Of(status);
        if (settings.Json)
        {
            output.WriteLine(ToolJson.Write(status, ApiJsonContext.Default.ClusterStatus));
        }
        else
        {
            summary.ToTable().Write(output, settings.Csv);
            if (!settings.Csv)
            {
                ToolConsole.Create(output).Line(summary.Text, new(summary.IsGood ? Color.Green : Color.Red));
            }
        }

        return summary.IsGood ? ExitCode.Success : ExitCode.BadNews;
    }

    private static async Task<int> WatchAsync(
        ClusterConnection cluster, ConnectionSettings settings, TimeSpan interval, TextWriter output, CancellationToken cancellation)
    {
        var console = ToolConsole.Create(output);
        var exitCode = ExitCode.Success;
        if (settings.Json || settings.Csv || !console.Profile.Out.IsTerminal)
        {
            await EachAsync(status => exitCode = Show(status, settings, output), e =>
            {
                Console.Error.WriteLine($"distdb: {e.Message.TrimEnd('.')}.");
                exitCode = ExitCode.Unreachable;
            }).ConfigureAwait(false);
            return exitCode;
        }

        await console.Live(new Text("")).Overflow(VerticalOverflow.Ellipsis).StartAsync(live => EachAsync(
            status =>
            {
                var summary = ClusterSummary.Of(status);
                exitCode = summary.IsGood ? ExitCode.Success : ExitCode.BadNews;
                live.UpdateTarget(new Rows(summary.ToTable().ToTable(), new Text(summary.Text, new(summary.IsGood ? Color.Green : Color.Red))));
            },
            e =>
            {
                exitCode = ExitCode.Unreachable;
                live.UpdateTarget(new Text($"No node answers: {e.Message.TrimEnd('.')}.", new(Color.Red)));
            })).ConfigureAwait(false);
        return exitCode;

        async Task EachAsync(Action<ClusterStatus> show, Action<NodeException> fail)
        {
            // Ctrl-C is how a watch ends, and no failure.
            while (!cancellation.IsCancellationRequested)
            {
                try
                {
                    show(await AskAsync(cluster, cancellation).ConfigureAwait(false));
                    await Task.Delay(interval, cancellation).ConfigureAwait(false);
                }
                catch (NodeException e)
                {
                    fail(e);
                    await Task.WhenAny(Task.Delay(interval, cancellation)).ConfigureAwait(false);
                }
                catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
                {
                    return;
                }
            }
        }
    }
}
