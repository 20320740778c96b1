using System.CommandLine;

namespace DistDb.Tests.Overload;

/// <summary><c>overload</c>: asks a cluster of real processes for more than it can do. Exit code 0 if it kept what it promised.</summary>
internal static class OverloadCommand
{
    public static int Run(string[] args)
    {
        var defaults = new OverloadOptions();
        var connections = new Option<int>("--connections") { Description = "How many, over all nodes", DefaultValueFactory = _ => defaults.ConnectionCount };
        var seconds = new Option<double>("--seconds") { Description = "How long they send", DefaultValueFactory = _ => defaults.Duration.TotalSeconds };
        var bytes = new Option<int>("--bytes") { Description = "Text in each write", DefaultValueFactory = _ => defaults.WriteBytes };
        var logs = new Option<bool>("--logs") { Description = "Print the nodes' logs" };
        var command = new RootCommand("Sends writes through many connections as fast as they go, and checks that the cluster bears it") { connections, seconds, bytes, logs };
        command.SetAction(async (parsed, _) =>
        {
            var report = await OverloadRun.RunAsync(
                new()
                {
                    ConnectionCount = parsed.GetValue(connections),
                    Duration = TimeSpan.FromSeconds(parsed.GetValue(seconds)),
                    WriteBytes = parsed.GetValue(bytes),
                },
                text => Console.Write(parsed.GetValue(logs) ? text : ""));
            Console.Write(report);
            return report.IsClean ? 0 : 1;
        });
        return command.Parse(args).Invoke();
    }
}
