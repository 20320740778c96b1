using System.Runtime.InteropServices;

namespace DistDb.Node.Storage;

/// <summary>Who may read what a node writes.</summary>
public static partial class PrivateFiles
{
    /// <summary>
    /// Has every file and folder that this process makes from now on belong to its user alone (0600 and 0700). By the process's mask, since it is SQLite
    /// that makes most of them. What is there already stays as it is: somebody may have given rights to it on purpose. Does nothing on Windows.
    /// </summary>
    public static void MakeFromNowOn()
    {
        if (!OperatingSystem.IsWindows())
        {
            _ = SetFileModeMask((uint)(UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute
                | UnixFileMode.OtherRead | UnixFileMode.OtherWrite | UnixFileMode.OtherExecute));
        }
    }

    [LibraryImport("libc", EntryPoint = "umask")]
    private static partial uint SetFileModeMask(uint mask);
}
