using System.CommandLine;
using System.Globalization;
using DistDb.Node.Api;

namespace DistDb.Tools.Backup;

/// <summary>Sends SQLite files to the master, which makes them databases on every node.</summary>
/// <param name="settings">How to reach the cluster.</param>
/// <param name="console">Where to tell of it.</param>
/// <param name="replaces">Whether what is in a database may go.</param>
internal sealed class Upload(ConnectionSettings settings, InvocationConfiguration console, bool replaces)
{
    /// <summary>Whether a file begins as SQLite's do.</summary>
    public static bool IsDatabase(string path)
    {
        var magic = new byte[16];
        using var file = File.OpenRead(path);
        return file.ReadAtLeast(magic, magic.Length, throwOnEndOfStream: false) == magic.Length && magic.AsSpan().SequenceEqual("SQLite format 3\0"u8);
    }

    /// <summary>Sends one, and tells of it.</summary>
    /// <exception cref="NodeException">It is not known to be done.</exception>
    /// <exception cref="ToolException">The same.</exception>
    public async Task SendAsync(string database, string path, CancellationToken cancellation)
    {
        using var cluster = await ClusterConnection.OpenAsync(settings, cancellation, BackupTool.Patience).ConfigureAwait(false);

        // Not by trying one node after the other: what was restored must not be restored again over what others wrote since.
        var status = await cluster.AskAsync(node => cluster.Client.GetClusterAsync(node, cancellation), cancellation).ConfigureAwait(false);
        var master = status.Nodes.FirstOrDefault(n => n.Id == status.Master)?.Address is { } address
            ? new Uri(address)
            : throw new ToolException("The cluster does not say where its master is. Nothing was sent; try again in a moment.", ExitCode.BadNews);
        var file = File.OpenRead(path);
        await using var _ = file.ConfigureAwait(false);
        try
        {
            var answer = await TransferProgress.ShowAsync(
                console.Error,
                $"Restoring {database}",
                progress => cluster.Client.RestoreAsync(
                    master, database, file, replaces, sent => progress(sent, file.Length), cancellation)).ConfigureAwait(false);
            await console.Output.WriteLineAsync(settings.Json
                ? ToolJson.Write(answer, ApiJsonContext.Default.RestoreAnswer)
                : string.Create(CultureInfo.InvariantCulture, $"{answer.Database}: {answer.Bytes} bytes, on every node as of entry {answer.Index}, after {answer.ElapsedMs / 1000:0.0} s.")).ConfigureAwait(false);
        }
        catch (NodeUnreachableException e)
        {
            throw new ToolException(
                $"{e.Message}. Whether \"{database}\" was replaced is not known: it is as it was, or is the file's content as a whole. Look at it, and restore again if need be.", ExitCode.Unreachable);
        }
    }
}
