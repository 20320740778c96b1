using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using DistDb.Node.Archive;

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
