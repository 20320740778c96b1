using System.CommandLine;

namespace DistDb.Tools.Shell;

/// <summary><c>distdb shell</c>: SQL typed at a prompt, from a pipe, or given with <c>-c</c>.</summary>
public static class ShellTool
{
    public static Command Create()
    {
        var database = new Option<string>("--database", "-d") { Description = "The database to work on", HelpName = "name", DefaultValueFactory = _ => "main" };
        var statements = new Option<string[]>("--command", "-c")
        {
            Description = "Run this SQL (or command, such as .tables) instead of reading it; may be given several times",
            HelpName = "sql",
        };
        var consistency = new Option<string>("--consistency")
        {
            Description = "What reads see: what the node has, or every write that was answered anywhere before",
            DefaultValueFactory = _ => "local",
        };
        consistency.AcceptOnlyFromAmong("local", "strong");
        var connection = new ConnectionOptions();
        var command = new Command(
            "shell",
            """
            Type SQL at a prompt, or run it from a pipe or from -c

            Without a terminal it runs what it reads up to the first statement that fails, says on which line that is, and exits with 1.

            Examples:
              distdb shell
              distdb shell --url http://10.0.0.1:8080,http://10.0.0.2:8080 --database shop
              distdb shell -c "SELECT count(*) FROM users"
              distdb shell --csv < report.sql > report.csv
              distdb shell -c .dump > main.sql
            """) { database, statements, consistency };
        connection.AddTo(command, hasTable: true);
        command.SetTool(
            async (parsed, cancellation) =>
            {
                var settings = connection.Read(parsed);
                using var cluster = await ClusterConnection.OpenAsync(settings, cancellation).ConfigureAwait(false);
                var configuration = parsed.InvocationConfiguration;
                var scripts = parsed.GetValue(statements) ?? [];
                var isInteractive = scripts.Length == 0 && !Console.IsInputRedirected && !Console.IsOutputRedirected && configuration.Output == Console.Out;
                var output = configuration.Output == Console.Out && !isInteractive ? new StreamWriter(Console.OpenStandardOutput(), bufferSize: 65_536) : configuration.Output;
                var session = new ShellSession(cluster, output, configuration.Error, isInteractive)
                {
                    Settings = settings,
                    IsStrong = parsed.GetValue(consistency) == "strong",
                    Database = parsed.GetValue(database)!,
                    Mode = settings.Json ? OutputMode.Json : settings.Csv ? OutputMode.Csv : OutputMode.Table,
                };
                cluster.Moved = node => configuration.Error.WriteLine($"distdb: going on at {node.GetLeftPart(UriPartial.Authority)}, since the node before does not serve.");
                var runner = new ShellRunner(session, configuration.Error);
                return isInteractive ? await runner.PromptAsync(cancellation).ConfigureAwait(false)
                    : scripts.Length > 0 ? await runner.RunScriptsAsync(scripts.Select(script => ((TextReader)new StringReader(script), "-c")), cancellation).ConfigureAwait(false)
                    : await runner.RunScriptsAsync([(Console.In, "-")], cancellation).ConfigureAwait(false);
            },
            ownsInterrupts: true);
        return command;
    }
}
