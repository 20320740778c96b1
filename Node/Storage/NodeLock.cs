using System.Globalization;
using System.Text;

namespace DistDb.Node.Storage;

/// <summary>
/// Keeps two processes from opening one data folder: <c>node.lock</c> is held open with an exclusive lock, which the operating system
/// drops when the process ends, however it ends. The file holds the owner's process id, for people.
/// </summary>
public sealed class NodeLock : IDisposable
{
    // What the exception carries where another process has the file: EWOULDBLOCK on Linux and macOS, a sharing violation on Windows.
    private static readonly int[] _inUse = [11, 35, unchecked((int)0x80070020)];

    private readonly FileStream _file;

    private NodeLock(FileStream file) => _file = file;

    /// <exception cref="NodeLockedException">Another process holds the folder.</exception>
    /// <exception cref="IOException">The file cannot be written, as on a read-only or full disk.</exception>
    /// <exception cref="UnauthorizedAccessException">The file cannot be opened.</exception>
    public static NodeLock Acquire(string folder)
    {
        var path = Path.Combine(folder, "node.lock");
        FileStream file;
        try
        {
            file = new(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (_inUse.Contains(e.HResult))
        {
            throw new NodeLockedException(
                $"The data folder {folder} is in use by another distdb process. Nothing was changed; stop that process first, or give this node another folder with --data.",
                e);
        }

        file.SetLength(0);
        file.Write(Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n"));
        file.Flush();
        return new(file);
    }

    public void Dispose() => _file.Dispose();
}

/// <summary>A data folder is already in use.</summary>
public sealed class NodeLockedException(string message, Exception inner) : Exception(message, inner);
