using System.Text;

namespace DistDb.Node.Database;

/// <summary>Small files that say what is under way, for the next start.</summary>
internal static class DurableFile
{
    /// <summary>Writes a file, whole or not at all, whatever stood there before. On disk, with its name, when it returns.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void Write(string path, string text)
    {
        var draft = path + ".draft";
        using (var file = new FileStream(draft, FileMode.Create, FileAccess.Write))
        {
            file.Write(Encoding.UTF8.GetBytes(text));
            file.Flush(flushToDisk: true);
        }

        File.Move(draft, path, overwrite: true);
        FolderSync.Flush(Path.GetDirectoryName(path)!);
    }
}
