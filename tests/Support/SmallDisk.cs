using System.Diagnostics;
using System.Globalization;

namespace DistDb.Tests.Support;

/// <summary>A disk of a few megabytes in a folder's place: a file system in memory, which only root may mount, and not in every container.</summary>
internal sealed class SmallDisk : IDisposable
{
    private static readonly Lazy<string?> _whyNot = new(Try);

    private readonly string _folder;

    private SmallDisk(string folder) => _folder = folder;

    /// <summary>Why there can be none here, or null where there can.</summary>
    public static string? WhyNot => _whyNot.Value;

    /// <param name="folder">Made where it does not exist; what is in it cannot be seen meanwhile.</param>
    /// <param name="kiB">The disk's size.</param>
    public static SmallDisk Mount(string folder, int kiB)
    {
        Directory.CreateDirectory(folder);
        Run("mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={kiB}k,mode=0700"), "tmpfs", folder);
        return new(folder);
    }

    public void Resize(int kiB) => Run("mount", "-o", string.Create(CultureInfo.InvariantCulture, $"remount,size={kiB}k"), _folder);

    /// <summary>While nobody has a file open for writing.</summary>
    public void MakeReadOnly() => Run("mount", "-o", "remount,ro", _folder);

    public void MakeWritable() => Run("mount", "-o", "remount,rw", _folder);

    // Lazily: a test that failed may have left a process that is still using it.
    public void Dispose() => Run("umount", "-l", _folder);

    private static string? Try()
    {
        if (!OperatingSystem.IsLinux() || Environment.UserName != "root")
        {
            return "Only root may mount a small disk.";
        }

        var folder = Directory.CreateTempSubdirectory("distdb-mount-");
        try
        {
            Mount(folder.FullName, 64).Dispose();
            return null;
        }
        catch (InvalidOperationException e)
        {
            return $"A small disk cannot be mounted here: {e.Message}";
        }
        finally
        {
            folder.Delete();
        }
    }

    private static void Run(string program, params IEnumerable<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} failed: {errors.Trim()}");
        }
    }
}

/// <summary>A test that needs a <see cref="SmallDisk"/>; skipped, with the reason, where there can be none.</summary>
internal sealed class SmallDiskFactAttribute : FactAttribute
{
    public SmallDiskFactAttribute() => Skip = SmallDisk.WhyNot;
}

/// <summary>The same with parameters.</summary>
internal sealed class SmallDiskTheoryAttribute : TheoryAttribute
{
    public SmallDiskTheoryAttribute() => Skip = SmallDisk.WhyNot;
}
