using System.Globalization;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Storage;

namespace DistDb.Node.Replication;

/// <summary>
/// Makes the two steps of installing a snapshot one: the databases' folder is replaced, and the log begins anew behind it. A small file that
/// names the snapshot stands while that is under way; should the process die meanwhile, the next start finishes what it names.
/// <code>
/// snapshots/installing   "index term membership folder", one line; the membership in base64, or "-"
/// </code>
/// </summary>
internal static class SnapshotInstallation
{
    /// <summary>From here on the installation will be finished, whatever happens.</summary>
    public static void Begin(NodeFolder folder, ReceivedSnapshot snapshot)
    {
        DatabaseFile.SealFolder(snapshot.Folder);

        // The names of the marker and of the snapshot, which is beside it, must be on disk before the databases are touched.
        DurableFile.Write(
            MarkerPath(folder),
            string.Create(CultureInfo.InvariantCulture, $"{snapshot.Index.Value} {snapshot.Term.Value} {Text(snapshot.Membership)} {Path.GetFileName(snapshot.Folder)}\n"));
    }

    /// <summary>Both steps are done.</summary>
    public static void End(NodeFolder folder)
    {
        File.Delete(MarkerPath(folder));
        FolderSync.Flush(folder.SnapshotPath);
    }

    /// <summary>At a node's start, before its databases are opened: finishes what an earlier process began.</summary>
    /// <returns>Whether there was anything: then the databases are a peer's.</returns>
    /// <exception cref="RaftStorageException">The log cannot be written.</exception>
    public static bool Recover(NodeFolder folder, RaftStorage storage)
    {
        if (!File.Exists(MarkerPath(folder)))
        {
            return false;
        }

        var words = File.ReadAllText(MarkerPath(folder)).TrimEnd('\n').Split(' ', 4);
        var index = new LogIndex(long.Parse(words[0], CultureInfo.InvariantCulture));
        var term = new Term(long.Parse(words[1], CultureInfo.InvariantCulture));
        var membership = words[2] == "-" ? null : MembershipCodec.Decode(Convert.FromBase64String(words[2]));
        DatabaseFile.ReplaceFolder(folder.DatabasesPath, Path.Combine(folder.SnapshotPath, words[3]));
        storage.InstallBase(index, term, membership);

        // Before the marker goes: a start that found only the repair's would put these good databases aside.
        DatabaseQuarantine.End(folder);
        End(folder);
        return true;
    }

    private static string Text(Membership? membership) =>
        membership is null ? "-" : Convert.ToBase64String(MembershipCodec.Encode(membership));

    private static string MarkerPath(NodeFolder folder) => Path.Combine(folder.SnapshotPath, "installing");
}
