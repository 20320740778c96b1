using System.Runtime.InteropServices;

namespace DistDb.Node.Database.Native;

/// <summary>Calls of the C library: those that set the time zone which SQLite's <c>localtime</c> modifier reads, those that sync a folder, and the limit of open files.</summary>
internal static partial class LibC
{
    /// <summary>Changes the C environment; <see cref="Environment.SetEnvironmentVariable(string, string)"/> changes only .NET's copy.</summary>
    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "tzset")]
    public static partial void ReadTimeZone();

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    public static partial int Sync(int file);

    [LibraryImport("libc", EntryPoint = "close")]
    public static partial int Close(int file);

    /// <summary>How many files and connections this process may have open; .NET has raised it to what the process may raise it to.</summary>
    /// <returns>Null where that is not known.</returns>
    public static long? FindHandlesMax()
    {
        var resource = OperatingSystem.IsLinux() ? 7 : 8;
        Span<ulong> limits = [0, 0];
        return GetLimit(resource, limits) == 0 ? (long)Math.Min(limits[0], long.MaxValue) : null;
    }

    [LibraryImport("libc", EntryPoint = "getrlimit")]
    private static partial int GetLimit(int resource, Span<ulong> limits);
}
