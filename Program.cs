using System.CommandLine;
using DistDb.Node;
using DistDb.Node.Database;
using DistDb.Node.Replication;
using DistDb.Tools;
using DistDb.Tools.Backup;
using DistDb.Tools.Bench;
using DistDb.Tools.Shell;

namespace DistDb;

/// <summary>The executable: picks the command and hands over.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] args)
    {
        // First of all, because it sets the process's time zone for SQLite.
        try
        {
            SqliteLibrary.Initialize();
        }
        catch (DllNotFoundException e)
        {
            await Console.Error.WriteLineAsync($"distdb: {e.Message}").ConfigureAwait(false);
            return ExitCode.BadNews;
        }

        DotNetEnv.Env.NoClobber().Load();

        // A node's host listens to signals itself, and knows how long an orderly stop may take; the parser would cut it short.
        return await ToolRunner.InvokeAsync(CreateRoot(), args, new() { ProcessTerminationTimeout = null }).ConfigureAwait(false);
    }

    /// <summary>All commands there are.</summary>
    internal static RootCommand CreateRoot()
    {
        var root = new RootCommand("DistDb: SQLite, replicated.");
        root.Options.OfType<VersionOption>().Single().Action = new VersionAction(BuildVersion.Current, BuildVersion.Commit, SqliteLibrary.Version);
        foreach (var command in NodeCommand.Create())
        {
            root.Add(command);
        }

        root.Add(ShellTool.Create());
        root.Add(StatusTool.Create());
        root.Add(ShowAllTool.Create());
        root.Add(ChangesTool.Create());
        root.Add(SendDummyTool.Create());
        root.Add(PromoteTool.Create());
        root.Add(MembersTool.Create());
        root.Add(VerifyTool.Create());
        root.Add(BenchTool.Create());
        root.Add(TokenTool.Create());
        root.Add(BackupTool.Create());
        root.Add(RestoreTool.Create());
        root.Add(ImportTool.Create());
        root.Add(CompletionTool.Create());
        root.Add(ManualTool.Create(BuildVersion.Current));
        return root;
    }
}
