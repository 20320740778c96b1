using System.CommandLine;
using DistDb.Node;
using DistDb.Node.Database;

namespace DistDb;

/// <summary>The executable: picks the command and hands over.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        // First of all, because it sets the process's time zone for SQLite.
        SqliteLibrary.Initialize();
        DotNetEnv.Env.NoClobber().Load();

        var root = new RootCommand("DistDb: SQLite, replicated.");
        foreach (var command in NodeCommand.Create())
        {
            root.Add(command);
        }

        var parsed = root.Parse(args);
        if (parsed.Errors.Count == 0)
        {
            // A node's host listens to signals itself, and knows how long an orderly stop may take; the parser would cut it short.
            return await parsed.InvokeAsync(new() { ProcessTerminationTimeout = null }).ConfigureAwait(false);
        }

        // One line for each mistake; whoever wants the whole help asks for it.
        foreach (var error in parsed.Errors)
        {
            await Console.Error.WriteLineAsync(error.Message).ConfigureAwait(false);
        }

        await Console.Error.WriteLineAsync("Try \"distdb --help\".").ConfigureAwait(false);
        return 2;
    }
}
