using System.Globalization;

namespace DistDb.Node.Database;

/// <summary>
/// SQLite says FULL both for a full disk and for an AUTOINCREMENT key at its maximum, which is a client's own doing. The two differ
/// in whether the disk still takes bytes.
/// </summary>
internal static class DiskProbe
{
    /// <summary>More than the page or two that a failed write wanted, less than what a disk in use has left by chance.</summary>
    private const int ProbeBytes = 256 * 1024;

    /// <summary>How much room a file that comes in takes for each of its bytes, for a while: as it is, written anew, and in SQLite's write-ahead log.</summary>
    private const int RoomPerByte = 3;

    /// <summary>What a folder's disk lacks to take in a file, as the rest of a sentence; null where it has room.</summary>
    /// <param name="folder">A folder that exists.</param>
    /// <param name="byteCount">Bytes of the file.</param>
    public static string? RoomLacking(string folder, long byteCount) =>
        new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace is var room && room / RoomPerByte < byteCount
            ? string.Create(CultureInfo.InvariantCulture, $"has {room >> 20} MiB left, and for this file it needs {byteCount * RoomPerByte >> 20} MiB for a while. Nothing was changed; make room on every node's disk, then send it again.")
            : null;

    /// <summary>True if a file beside the given one can still be filled with some bytes. Leaves nothing behind.</summary>
    public static bool HasRoom(string path)
    {
        var probe = $"{path}.probe";
        try
        {
            using var file = new FileStream(probe, FileMode.Create, FileAccess.Write, FileShare.None, 1, FileOptions.DeleteOnClose);
            file.Write(new byte[ProbeBytes]);
            file.Flush(flushToDisk: true);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
