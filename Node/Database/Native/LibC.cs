using System.Runtime.InteropServices;

namespace DistDb.Node.Database.Native;

/// <summary>Calls of the C library: those that set the time zone which SQLite's <c>localtime</c> modifier reads, and those that sync a folder.</summary>
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
}
