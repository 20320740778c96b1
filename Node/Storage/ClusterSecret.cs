using System.Security.Cryptography;
using System.Text;

namespace DistDb.Node.Storage;

/// <summary>
/// The secret by which the cluster's nodes know each other. It comes from the environment or a file; without either,
/// <c>&lt;data&gt;/cluster.secret</c> is used, made by whichever node of the folder starts first.
/// </summary>
public static class ClusterSecret
{
    /// <summary>A shorter secret could be guessed by trying.</summary>
    private const int LengthMin = 16;

    /// <summary>The bytes of a secret that was given as text; white space around it does not count.</summary>
    /// <param name="text">The secret.</param>
    /// <param name="source">Where it comes from, for the error message.</param>
    /// <exception cref="InvalidDataException">It is too short.</exception>
    public static byte[] Parse(string text, string source)
    {
        var trimmed = text.Trim();
        return trimmed.Length >= LengthMin
            ? Encoding.UTF8.GetBytes(trimmed)
            : throw new InvalidDataException(
                $"The cluster secret in {source} has {trimmed.Length} characters; it needs at least {LengthMin}. Use, for example, 64 random hexadecimal digits.");
    }

    /// <exception cref="InvalidDataException">The secret in it is too short.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static byte[] ReadFile(string path) => Parse(File.ReadAllText(path), path);

    /// <summary>Reads the data folder's own secret; makes it first where there is none. Safe when several nodes start at once.</summary>
    public static byte[] ReadOrCreate(string dataFolder)
    {
        var path = Path.Combine(dataFolder, "cluster.secret");
        if (!File.Exists(path))
        {
            Directory.CreateDirectory(dataFolder);
            var draft = Path.Combine(dataFolder, $".cluster.secret.{Environment.ProcessId}");
            WritePrivate(draft, Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32)) + "\n");
            try
            {
                // Without overwriting this fails where another node was faster, and its secret is the one.
                File.Move(draft, path, overwrite: false);
            }
            catch (IOException) when (File.Exists(path))
            {
                File.Delete(draft);
            }
        }

        return ReadFile(path);
    }

    private static void WritePrivate(string path, string content)
    {
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var file = new FileStream(path, options);
        file.Write(Encoding.ASCII.GetBytes(content));
        file.Flush(flushToDisk: true);
    }
}
