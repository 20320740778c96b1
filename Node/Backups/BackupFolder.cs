using System.Globalization;
using System.Text.RegularExpressions;
using DistDb.Node.Database;

namespace DistDb.Node.Backups;

/// <summary>
/// The folder of scheduled backups: archives named <c>distdb-&lt;time of the backup&gt;-&lt;log index&gt;.tar</c>, such as
/// <c>distdb-20261128T155914Z-4711.tar</c>. Whatever is named otherwise is left alone. Several nodes may share it.
/// </summary>
internal sealed partial class BackupFolder(string path)
{
    private const string TimeFormat = "yyyyMMdd'T'HHmmss'Z'";

    // Where several nodes share the folder, one of them makes the backup that is due.
    private const string LockName = ".distdb-backup.lock";

    // How a lock that another process holds shows in an exception.
    private const int WouldBlockOnLinux = 11;
    private const int WouldBlockOnMacOS = 35;
    private const int SharingViolationOnWindows = unchecked((int)0x80070020);

    /// <summary>The folder.</summary>
    public string Path { get; } = System.IO.Path.GetFullPath(path);

    /// <summary>What a file of backups is called.</summary>
    /// <param name="name">What is in it.</param>
    /// <param name="madeAt">As of when.</param>
    /// <param name="index">The log entry that it is at.</param>
    /// <param name="extension">Without the dot.</param>
    public static string NameOf(string name, DateTimeOffset madeAt, long index, string extension) => string.Create(
        CultureInfo.InvariantCulture, $"{name}-{madeAt.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture)}-{index}.{extension}");

    /// <summary>Makes the folder, for its user alone, where it is not there.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be made.</exception>
    public void Create() => PrivateFolder.Create(Path);

    /// <summary>Keeps other nodes that share the folder from making a backup until it is disposed; null where one of them is making one.</summary>
    /// <exception cref="IOException">The folder cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The folder cannot be written.</exception>
    public IDisposable? TryEnter()
    {
        try
        {
            return new FileStream(System.IO.Path.Combine(Path, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e.HResult is WouldBlockOnLinux or WouldBlockOnMacOS or SharingViolationOnWindows)
        {
            return null;
        }
    }

    /// <summary>When the newest backup was made; null where there is none.</summary>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public DateTimeOffset? Newest => List().Select(b => (DateTimeOffset?)b.MadeAt).LastOrDefault();

    /// <summary>Writes an archive: the file has its name only once it is whole and on disk.</summary>
    /// <param name="archive">The archive.</param>
    /// <param name="madeAt">When it was made.</param>
    /// <param name="cancellationToken">Ends it; nothing is left behind.</param>
    /// <returns>The file's path, and its bytes.</returns>
    /// <exception cref="IOException">The disk failed, or is full; nothing is left behind.</exception>
    public async Task<(string Path, long Bytes)> WriteAsync(BackupArchive archive, DateTimeOffset madeAt, CancellationToken cancellationToken)
    {
        var target = System.IO.Path.Combine(Path, NameOf("distdb", madeAt, archive.Index, "tar"));
        var draft = target + ".part";
        long bytes;
        try
        {
            var file = new FileStream(draft, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, Options = FileOptions.Asynchronous });
            await using (file.ConfigureAwait(false))
            {
                await archive.WriteToAsync(file, cancellationToken).ConfigureAwait(false);
                await file.FlushAsync(cancellationToken).ConfigureAwait(false);
                RandomAccess.FlushToDisk(file.SafeFileHandle);
                bytes = file.Length;
            }

            File.Move(draft, target, overwrite: true);
            FolderSync.Flush(Path);
        }
        catch
        {
            File.Delete(draft);
            throw;
        }

        return (target, bytes);
    }

    /// <summary>Deletes the oldest backups beyond a number, and what writing one left behind when its process died.</summary>
    /// <param name="keptCount">How many stay, from 1.</param>
    /// <exception cref="IOException">A file cannot be deleted.</exception>
    public void DeleteOldest(int keptCount)
    {
        foreach (var draft in Directory.GetFiles(Path).Where(f => f.EndsWith(".part", StringComparison.Ordinal) && Names().IsMatch(System.IO.Path.GetFileName(f)[..^".part".Length])))
        {
            File.Delete(draft);
        }

        List().SkipLast(keptCount).ToList().ForEach(b => File.Delete(b.Path));
    }

    /// <summary>All backups, from the oldest.</summary>
    private List<(string Path, DateTimeOffset MadeAt)> List() =>
    [
        .. from path in Directory.GetFiles(Path)
           let name = Names().Match(System.IO.Path.GetFileName(path))
           where name.Success
           let time = ReadTime(name.Groups["time"].Value)
           where time is not null
           orderby time, path
           select (path, time.Value),
    ];

    private static DateTimeOffset? ReadTime(string text) =>
        DateTimeOffset.TryParseExact(text, TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : null;

    [GeneratedRegex(@"^distdb-(?<time>\d{8}T\d{6}Z)-\d+\.tar$", RegexOptions.CultureInvariant)]
    private static partial Regex Names();
}
