using System.CommandLine;
using System.Text.Json;

namespace DistDb.Tools.Backup;

/// <summary><c>distdb backup</c>: takes a database, or all of them, from any node into a file.</summary>
public static class BackupTool
{
    /// <summary>A node copies what it has before it sends the first byte, and loads what it was sent before it answers.</summary>
    internal static readonly TimeSpan Patience = TimeSpan.FromMinutes(30);

    public static Command Create()
    {
        var database = new Argument<string?>("database")
        {
            Description = "The database; without one, an archive (tar) of all is made, as of one moment",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var to = new Option<string>("--to") { Description = "The file to write, a folder to write it to, or - for standard output", HelpName = "file", Required = true };
        var force = new Option<bool>("--force") { Description = "Overwrite the file if there is one" };
        var connection = new ConnectionOptions();
        var command = new Command("backup", "Copy a database, or all, into a file while everything goes on: distdb backup main --to main.db") { database, to, force };
        connection.AddTo(command);
        command.SetTool(async (parsed, cancellation) =>
        {
            var settings = connection.Read(parsed);
            var name = parsed.GetValue(database);
            if (parsed.GetValue(to) is "-")
            {
                using var cluster = await ClusterConnection.OpenAsync(settings, cancellation, Patience).ConfigureAwait(false);
                var output = Console.OpenStandardOutput();
                await using var _ = output.ConfigureAwait(false);

                // What was written there cannot be taken back, so that no other node can go on with it.
                await cluster.Client.GetBackupAsync(
                    cluster.Current, name, (response, body, onProgress, limit) => Download.CopyAsync(response, body, output, (_, _) => onProgress(), limit), cancellation).ConfigureAwait(false);
                return ExitCode.Success;
            }

            var download = new Download(parsed.GetValue(to)!, parsed.GetValue(force), isArchive: name is null);
            var done = await TakeAsync(settings, name, download, parsed.InvocationConfiguration.Error, cancellation).ConfigureAwait(false);
            await parsed.InvocationConfiguration.Output.WriteLineAsync(settings.Json
                ? JsonSerializer.Serialize(done, BackupJsonContext.Default.BackupResult)
                : done.Describe()).ConfigureAwait(false);
            return ExitCode.Success;
        });
        return command;
    }

    /// <summary>Takes a backup from whichever node can give it.</summary>
    /// <param name="settings">How to reach the cluster.</param>
    /// <param name="database">The database; null for all.</param>
    /// <param name="download">Where to.</param>
    /// <param name="error">Where to show how far it is.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="NodeException">No node gave it.</exception>
    /// <exception cref="ToolException">The file cannot be written, or the backup is bad.</exception>
    internal static async Task<BackupResult> TakeAsync(ConnectionSettings settings, string? database, Download download, TextWriter error, CancellationToken cancellation)
    {
        using var cluster = await ClusterConnection.OpenAsync(settings, cancellation, Patience).ConfigureAwait(false);
        return await TransferProgress.ShowAsync(
            error,
            $"Backing up {database ?? "all databases"}",
            progress => cluster.AskAsync(
                node => cluster.Client.GetBackupAsync(
                    node,
                    database,
                    (response, body, onProgress, limit) => download.TakeAsync(
                        response,
                        body,
                        (bytes, total) =>
                        {
                            onProgress();
                            progress(bytes, total);
                        },
                        limit),
                    cancellation),
                cancellation)).ConfigureAwait(false);
    }
}
