using System.Globalization;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Storage;

namespace DistDb.Node.Replication;

/// <summary>
/// Keeps bad databases aside, and remembers on disk that the node is without any until a snapshot has taken their place: a restart in the
/// middle must neither open the bad files nor begin with empty ones. All of a node's databases go together, as a snapshot has them all.
/// <code>
/// repairing                           "time min-index quarantine-folder reason", one line
/// quarantine/databases-&lt;UTC time&gt;/    the bad files, with their -wal and -shm
/// </code>
/// </summary>
internal static class DatabaseQuarantine
{
    /// <summary>In the node's folder while its bad databases are being replaced.</summary>
    public const string MarkerName = "repairing";

    /// <summary>Folders kept; the oldest make room, so that a disk that damages everything is not filled by it as well.</summary>
    private const int KeptMax = 5;

    /// <summary>Names what is to be done, and writes it down. From here on the repair will be finished, whatever happens.</summary>
    public static RepairTask Begin(NodeFolder folder, string reason, LogIndex minIndex)
    {
        Directory.CreateDirectory(folder.QuarantinePath);
        var now = DateTimeOffset.UtcNow;
        var name = string.Create(CultureInfo.InvariantCulture, $"databases-{now:yyyyMMdd'T'HHmmss.fff'Z'}");
        var task = new RepairTask(reason.ReplaceLineEndings(" "), minIndex, now, Path.Combine(folder.QuarantinePath, name));
        DurableFile.Write(
            MarkerPath(folder), string.Create(CultureInfo.InvariantCulture, $"{now:O} {minIndex.Value} {name} {task.Reason}\n"));
        DeleteOldest(folder);
        return task;
    }

    /// <summary>What an earlier process began and did not finish, or null.</summary>
    public static RepairTask? Find(NodeFolder folder)
    {
        if (!File.Exists(MarkerPath(folder)))
        {
            return null;
        }

        var words = File.ReadAllText(MarkerPath(folder)).TrimEnd('\n').Split(' ', 4);
        return new(
            words[3],
            new(long.Parse(words[1], CultureInfo.InvariantCulture)),
            DateTimeOffset.Parse(words[0], CultureInfo.InvariantCulture),
            Path.Combine(folder.QuarantinePath, words[2]));
    }

    /// <summary>There are good databases again, or will be whatever happens.</summary>
    public static void End(NodeFolder folder)
    {
        File.Delete(MarkerPath(folder));
        FolderSync.Flush(folder.Path);
    }

    private static void DeleteOldest(NodeFolder folder)
    {
        foreach (var oldest in Directory.GetDirectories(folder.QuarantinePath, "databases-*").OrderDescending().Skip(KeptMax - 1))
        {
            Directory.Delete(oldest, recursive: true);
        }
    }

    private static string MarkerPath(NodeFolder folder) => Path.Combine(folder.Path, MarkerName);
}
