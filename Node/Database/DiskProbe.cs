namespace DistDb.Node.Database;

/// <summary>
/// SQLite says FULL both for a full disk and for an AUTOINCREMENT key at its maximum, which is a client's own doing. The two differ
/// in whether the disk still takes bytes.
/// </summary>
internal static class DiskProbe
{
    /// <summary>More than the page or two that a failed write wanted, less than what a disk in use has left by chance.</summary>
    private const int ProbeBytes = 256 * 1024;

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
