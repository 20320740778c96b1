using System.CommandLine;
using System.Globalization;
using DistDb.Node.Archive;
using DistDb.Node.Storage;

namespace DistDb.Tools.Backup;

/// <summary>Brings backups forward.</summary>
/// <param name="target">To where.</param>
/// <param name="archives">Folders with pieces of the log.</param>
/// <param name="console">Where to tell of it.</param>
internal sealed class Replay(PointInTimeTarget target, IReadOnlyList<string> archives, InvocationConfiguration console)
{
    /// <summary>Makes a database as it was at the point, and tells of it.</summary>
    /// <param name="backup">A backup of it.</param>
    /// <param name="path">The file to make.</param>
    /// <param name="cancellation">Ends it; the file is then not there.</param>
    /// <returns>The file's path.</returns>
    /// <exception cref="ToolException">It cannot be done. Nothing was written.</exception>
    public async Task<string> RunAsync(string backup, string path, CancellationToken cancellation)
    {
        PrivateFiles.MakeFromNowOn();
        try
        {
            var result = await TransferProgress.ShowAsync(
                console.Error,
                "Replaying the log",
                progress => Task.Run(() => PointInTime.Rebuild(backup, archives, target, path, new Teller(progress), cancellation), cancellation),
                isBytes: false).ConfigureAwait(false);
            await console.Error.WriteLineAsync(
                string.Create(CultureInfo.InvariantCulture, $"{result.Database}: as of {result.Point}; {result.EntryCount} {(result.EntryCount == 1 ? "entry" : "entries")} since the backup of entry {result.BackupIndex} changed it.")).ConfigureAwait(false);
            if (result.IsOtherSqlite)
            {
                await console.Error.WriteLineAsync(
                    "Some of these entries were executed by another SQLite than is here. All that nodes observe of each other was the same; compare what you restore where that is not enough.").ConfigureAwait(false);
            }

            return path;
        }
        catch (PointInTimeException e)
        {
            throw new ToolException($"{e.Message} Nothing was restored.", ExitCode.BadNews);
        }
    }

    /// <summary>At once, on the thread that tells.</summary>
    private sealed class Teller(Action<long, long?> progress) : IProgress<PointInTimeProgress>
    {
        public void Report(PointInTimeProgress value) => progress(value.Index - value.From, value.To - value.From);
    }
}
