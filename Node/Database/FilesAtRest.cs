using System.Globalization;
using System.Text;

namespace DistDb.Node.Database;

/// <summary>
/// What the database files were like when their node, whose content was compared, stopped in an orderly way. A start that finds them so knows that no
/// program has changed them meanwhile; it need not wait for a comparison. Good for one start: a process that dies later leaves none.
/// <code>
/// one line for each file of the folder: length, time of the last change in units of 100 ns, the first 100 bytes (SQLite's header, with its counter of changes), name
/// </code>
/// </summary>
internal static class FilesAtRest
{
    private const int HeaderBytes = 100;

    /// <summary>Notes it, once nobody here has the files open. On disk, as they are, when it returns.</summary>
    /// <param name="folder">Of the databases.</param>
    /// <param name="note">The file that takes the note.</param>
    /// <returns>False where there is more than databases, as another program has one open: nothing is noted then.</returns>
    /// <exception cref="IOException">The files cannot be synced, or the note not be written.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static bool Note(string folder, string note)
    {
        var files = Directory.GetFileSystemEntries(folder);
        if (files.Any(file => Path.GetExtension(file) != DatabaseFile.Extension))
        {
            return false;
        }

        foreach (var file in files)
        {
            using var handle = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite);
            RandomAccess.FlushToDisk(handle);
        }

        FolderSync.Flush(folder);
        DurableFile.Write(note, Describe(folder));
        return true;
    }

    /// <summary>Whether the files are as they were noted. The note is gone when it returns, for they will change.</summary>
    /// <param name="folder">Of the databases.</param>
    /// <param name="note">The file with the note, if there is one.</param>
    /// <exception cref="IOException">The files cannot be read, or the note not be deleted.</exception>
    /// <exception cref="UnauthorizedAccessException">The same.</exception>
    public static bool TakeNote(string folder, string note)
    {
        if (!File.Exists(note))
        {
            return false;
        }

        var areAsNoted = File.ReadAllText(note) == Describe(folder);
        File.Delete(note);
        FolderSync.Flush(Path.GetDirectoryName(note)!);
        return areAsNoted;
    }

    private static string Describe(string folder)
    {
        var text = new StringBuilder();
        foreach (var path in Directory.GetFiles(folder).Order(StringComparer.Ordinal))
        {
            var stamp = FileStamp.Of(path);
            text.Append(CultureInfo.InvariantCulture, $"{stamp.ByteCount} {stamp.WrittenAt.Ticks} {ReadHeader(path)} {Path.GetFileName(path)}\n");
        }

        return text.ToString();
    }

    private static string ReadHeader(string path)
    {
        using var handle = File.OpenHandle(path);
        Span<byte> header = stackalloc byte[HeaderBytes];
        return Convert.ToHexString(header[..RandomAccess.Read(handle, header, 0)]);
    }
}
