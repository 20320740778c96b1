using System.Globalization;
using DistDb.Node.Database;
using DistDb.Node.Replication;
using DistDb.Node.Storage;

namespace DistDb.Node.Recovery;

/// <summary>
/// Sets a stopped node's files aside, so that it starts as a new one, with an empty log of another identity, and learns everything from its
/// peers. Nothing is deleted: whoever does not need the files for examination any more deletes the folder.
/// <code>
/// quarantine/&lt;UTC time&gt;/   raft.db*, databases/*, snapshots/*
/// quarantine/unfinished    the name of that folder, while files are being moved to it
/// </code>
/// </summary>
public static class Quarantine
{
    /// <summary>
    /// Whether an earlier call was interrupted. Some files are still in their old places then, and the node must not be started on them before
    /// <see cref="SetAside"/> was called again.
    /// </summary>
    public static bool IsUnfinished(NodeFolder folder) => File.Exists(MarkerPath(folder));

    /// <summary>Moves the files, or the rest of them after a crash in the middle. Everything is on disk when it returns.</summary>
    /// <param name="folder">Nobody has it open.</param>
    /// <param name="now">Names the folder that they are moved to.</param>
    /// <returns>That folder, or null where there was nothing to move.</returns>
    /// <exception cref="NodeLockedException">The node is running.</exception>
    /// <exception cref="IOException">A file cannot be moved; call it again when the cause is removed.</exception>
    /// <exception cref="UnauthorizedAccessException">A file cannot be moved.</exception>
    public static string? SetAside(NodeFolder folder, DateTimeOffset now)
    {
        using var held = NodeLock.Acquire(folder.Path);
        string target;
        if (IsUnfinished(folder))
        {
            target = Path.Combine(QuarantinePath(folder), File.ReadAllText(MarkerPath(folder)).Trim());
        }
        else if (Files(folder).Any())
        {
            target = Begin(folder, now);
        }
        else
        {
            return null;
        }

        // Each move is one step for the file system, and what is named here twice is moved once: the order does not matter.
        string[] parts = ["", .. FoldersWithin];
        foreach (var part in parts)
        {
            Directory.CreateDirectory(Path.Combine(target, part));
        }

        FolderSync.Flush(QuarantinePath(folder));
        HashSet<string> foldersWithin = [];
        foreach (var file in Files(folder).ToList())
        {
            var place = Path.Combine(target, Path.GetRelativePath(folder.Path, file));
            if (foldersWithin.Add(Path.GetDirectoryName(place)!))
            {
                Directory.CreateDirectory(Path.GetDirectoryName(place)!);
            }

            File.Move(file, place);
        }

        foreach (var within in foldersWithin)
        {
            FolderSync.Flush(within);
        }

        // Those of copies that were on their way in or out, by now without a file.
        foreach (var left in FoldersWithin.SelectMany(f => Directory.GetDirectories(Path.Combine(folder.Path, f))))
        {
            Directory.Delete(left, recursive: true);
        }

        foreach (var part in parts)
        {
            FolderSync.Flush(Path.Combine(target, part));
            FolderSync.Flush(Path.Combine(folder.Path, part));
        }

        File.Delete(MarkerPath(folder));
        FolderSync.Flush(QuarantinePath(folder));
        return target;
    }

    private static IEnumerable<string> FoldersWithin => ["databases", "snapshots"];

    /// <summary>From here on it will be finished, whatever happens.</summary>
    private static string Begin(NodeFolder folder, DateTimeOffset now)
    {
        Directory.CreateDirectory(QuarantinePath(folder));
        FolderSync.Flush(folder.Path);
        var name = now.UtcDateTime.ToString("yyyy-MM-dd'T'HHmmss.fff'Z'", CultureInfo.InvariantCulture);
        DurableFile.Write(MarkerPath(folder), name + "\n");
        return Path.Combine(QuarantinePath(folder), name);
    }

    /// <summary>What makes the node what it is.</summary>
    private static IEnumerable<string> Files(NodeFolder folder) =>
        Directory.EnumerateFiles(folder.Path, Path.GetFileName(folder.RaftLogPath) + "*")
            .Concat(Directory.EnumerateFiles(folder.Path, DatabaseQuarantine.MarkerName))
            .Concat(FoldersWithin.SelectMany(f => Directory.EnumerateFiles(Path.Combine(folder.Path, f), "*", SearchOption.AllDirectories)));

    private static string QuarantinePath(NodeFolder folder) => Path.Combine(folder.Path, "quarantine");

    private static string MarkerPath(NodeFolder folder) => Path.Combine(QuarantinePath(folder), "unfinished");
}
