using System.CommandLine;
using DistDb.Node;
using DistDb.Node.Database;
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
        SqliteLibrary.Initialize();
        DotNetEnv.Env.NoClobber().Load();

        var root = new RootCommand("DistDb: SQLite, replicated.");
        foreach (var command in NodeCommand.Create())
        {
            root.Add(command);
        }

        root.Add(ShellTool.Create());
        root.Add(StatusTool.Create());
        root.Add(ShowAllTool.Create());
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

        // A node's host listens to signals itself, and knows how long an orderly stop may take; the parser would cut it short.
        return await ToolRunner.InvokeAsync(root, args, new() { ProcessTerminationTimeout = null }).ConfigureAwait(false);
    }
}
