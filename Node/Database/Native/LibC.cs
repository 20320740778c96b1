using System.Runtime.InteropServices;

namespace DistDb.Node.Database.Native;

/// <summary>The two calls of the C library that set the time zone which SQLite's <c>localtime</c> modifier reads.</summary>
internal static partial class LibC
{
    /// <summary>Changes the C environment; <see cref="Environment.SetEnvironmentVariable(string, string)"/> changes only .NET's copy.</summary>
    [LibraryImport("libc", EntryPoint = "setenv", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetEnvironment(string name, string value, int overwrite);

    [LibraryImport("libc", EntryPoint = "tzset")]
    public static partial void ReadTimeZone();
}
