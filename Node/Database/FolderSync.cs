using System.Runtime.InteropServices;
using DistDb.Node.Database.Native;

namespace DistDb.Node.Database;

/// <summary>
/// Makes what was created, renamed or deleted in a folder last over a power loss: syncing a file says nothing about its name. Windows has no
/// such call and needs none; NTFS writes names in order.
/// </summary>
internal static class FolderSync
{
    /// <exception cref="IOException">The folder cannot be opened or synced.</exception>
    public static void Flush(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        const int ReadOnly = 0;
        var file = LibC.Open(folder, ReadOnly);
        if (file < 0)
        {
            throw Failed(folder);
        }

        try
        {
            if (LibC.Sync(file) != 0)
            {
                throw Failed(folder);
            }
        }
        finally
        {
            _ = LibC.Close(file);
        }
    }

    private static IOException Failed(string folder) => new($"The folder {folder} could not be synced: {Marshal.GetLastPInvokeErrorMessage()}.");
}
