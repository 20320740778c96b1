namespace DistDb.Node.Database;

/// <summary>Folders outside of the node's own for what is in its databases.</summary>
internal static class PrivateFolder
{
    /// <summary>Makes a folder, and those above it, for its user alone (0700). One that is there stays as it is.</summary>
    /// <exception cref="IOException">It cannot be made.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be made.</exception>
    public static void Create(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path);
        }
        else
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }
}
