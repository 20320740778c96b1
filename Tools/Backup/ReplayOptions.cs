using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using DistDb.Node.Archive;
using DistDb.Node.Storage;

namespace DistDb.Tools.Backup;

/// <summary>The options by which a backup is brought forward to a point in the archived log before it is restored.</summary>
internal sealed partial class ReplayOptions
{
    private readonly Option<string[]> _archives = new("--archive")
    {
        Description = "A folder in which a node started with --archive keeps the log; may be given several times. With --at",
        HelpName = "folder",
    };

    private readonly Option<string?> _at = new("--at")
    {
        Description = "Restore what there was at this time (2026-01-31T12:00:00Z), after this entry of the log (a number), or at the archive's end (last)",
        HelpName = "point",
    };

    public void AddTo(Command command)
    {
        command.Add(_at);
        command.Add(_archives);
    }

    /// <summary>Null where the backup is to be restored as it is.</summary>
    /// <exception cref="ToolException">One is given without the other, or the point is none.</exception>
    public Replay? Read(ParseResult parsed)
    {
        var (archives, at) = (parsed.GetValue(_archives)!, parsed.GetValue(_at));
        if (at is null && archives.Length == 0)
        {
            return null;
        }

        if (at is null || archives.Length == 0)
        {
            throw new ToolException(
                at is null
                    ? "An archive of the log is given, but no point: add --at TIME, --at ENTRY or --at last."
                    : "A point is given, but no archive of the log: add --archive, the folder that a node's --archive names.",
                ExitCode.WrongUsage);
        }

        return new(ReadPoint(at), archives, parsed.InvocationConfiguration);
    }

    private static PointInTimeTarget ReadPoint(string at)
    {
        if (at == "last")
        {
            return PointInTimeTarget.Last;
        }

        if (long.TryParse(at, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index > 0)
        {
            return PointInTimeTarget.At(index);
        }

        // A time without a zone means another one to everybody.
        return Times().IsMatch(at) && DateTimeOffset.TryParse(at, CultureInfo.InvariantCulture, out var time)
            ? PointInTimeTarget.At(time)
            : throw new ToolException($"--at is \"{at}\", which is neither a time with its zone (2026-01-31T12:00:00Z, 2026-01-31T13:00:00.250+01:00) nor an entry's number nor \"last\".", ExitCode.WrongUsage);
    }

    [GeneratedRegex(@"^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)$", RegexOptions.CultureInvariant)]
    private static partial Regex Times();
}

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
