using System.Reflection;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using DistDb.Node.Database.Native;
using SQLitePCL;

namespace DistDb.Node.Database;

/// <summary>
/// Which SQLite this process uses. The operating system's library is preferred where it is newer than the one that came with the
/// program, because it gets security fixes. Call <see cref="Initialize"/> first thing in Main, before any thread reads the time zone.
/// </summary>
public static unsafe class SqliteLibrary
{
    private const string SystemLibrary = "libsqlite3.so.0";

    /// <summary>
    /// Beyond so many bytes of its memory in this process, SQLite reuses the pages of its caches instead of taking more. So the caches of all open
    /// databases share one bound, and a busy one may have more of it than the others; their sizes by themselves would add up to gigabytes.
    /// Eight databases of 64 MiB took 530 MB without it and 256 MB with it, at a tenth less speed. What statements do does not depend on it.
    /// </summary>
    private const long HeapBytesSoftMax = 256 * 1024 * 1024;

    private static readonly Lazy<nint> _handle = new(Load);
    private static readonly Lazy<string> _fingerprint = new(ComputeFingerprint);
    private static readonly Lazy<bool> _initialized = new(InitializeOnce);

    /// <summary>SQLite's version, as in <c>3.40.1</c>.</summary>
    public static string Version
    {
        get
        {
            Initialize();
            return Sqlite3.Text(Sqlite3.sqlite3_libversion());
        }
    }

    /// <summary>Bytes of memory that SQLite holds in this process, nearly all of it pages of its caches.</summary>
    public static long MemoryBytes
    {
        get
        {
            Initialize();
            return Sqlite3.sqlite3_memory_used();
        }
    }

    /// <summary>The bound of the same; see <see cref="HeapBytesSoftMax"/>.</summary>
    public static long MemoryBytesSoftMax => HeapBytesSoftMax;

    /// <summary>
    /// Tells apart libraries that could give another content from the same log: source, compile options and processor architecture
    /// (whose floating point may differ). Nodes form a cluster only with equal fingerprints.
    /// </summary>
    public static string Fingerprint => _fingerprint.Value;

    /// <summary>
    /// Older libraries lack functions that the determinism of writes is built on: with 3.35 replicas were seen to observe different
    /// last insert ids.
    /// </summary>
    public static Version OldestSuitable { get; } = new(3, 38, 0);

    /// <summary>Pins the process's time zone to UTC, since <c>localtime</c> in SQL must mean the same on every node, and chooses the
    /// library for this program and for Microsoft.Data.Sqlite alike. Does nothing when called again; any thread may call it.</summary>
    /// <exception cref="DllNotFoundException">There is no SQLite on this machine, nor beside the program.</exception>
    public static void Initialize() => _ = _initialized.Value;

    private static bool InitializeOnce()
    {
        if (LibC.SetEnvironment("TZ", "UTC", overwrite: 1) != 0)
        {
            throw new InvalidOperationException("The time zone could not be set to UTC.");
        }

        LibC.ReadTimeZone();
        NativeLibrary.SetDllImportResolver(typeof(SqliteLibrary).Assembly, Resolve);
        NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, Resolve);

        // A connection's pages come one by one, as they are needed, rather than twenty at its beginning: most connections of a node that has many
        // databases open have nothing to do, and hold 22 KiB in place of 103. Where something has used SQLite before, it stays as it was.
        const int ConfigPageCache = 7;
        _ = Sqlite3.sqlite3_config(ConfigPageCache, 0, 0, 0);
        raw.SetProvider(new SQLite3Provider_e_sqlite3());
        _ = Sqlite3.sqlite3_soft_heap_limit64(HeapBytesSoftMax);
        return true;
    }

    private static string ComputeFingerprint()
    {
        Initialize();
        var options = new List<string>();
        for (var i = 0; Sqlite3.sqlite3_compileoption_get(i) is var option && option != null; i++)
        {
            options.Add(Sqlite3.Text(option));
        }

        options.Sort(StringComparer.Ordinal);
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', options)));
        return $"{Sqlite3.Text(Sqlite3.sqlite3_sourceid())} options {Convert.ToHexStringLower(hash.AsSpan(0, 8))} " +
            $"{RuntimeInformation.ProcessArchitecture}";
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath) =>
        name == Sqlite3.Library ? _handle.Value : 0;

    private static nint Load()
    {
        var assembly = typeof(SqliteLibrary).Assembly;
        var hasSystem = NativeLibrary.TryLoad(SystemLibrary, out var system);
        var hasBundled = NativeLibrary.TryLoad(Sqlite3.Library, typeof(SQLite3Provider_e_sqlite3).Assembly, null, out var bundled)
            || NativeLibrary.TryLoad(Sqlite3.Library, assembly, null, out bundled);
        if (!hasSystem && !hasBundled)
        {
            throw new DllNotFoundException($"Neither {SystemLibrary} nor {Sqlite3.Library} can be loaded: install SQLite {OldestSuitable} or newer (on Debian the package libsqlite3-0).");
        }

        if (hasSystem && (!hasBundled || VersionNumber(system) > VersionNumber(bundled)))
        {
            return system;
        }

        return bundled;
    }

    private static int VersionNumber(nint library) =>
        ((delegate* unmanaged<int>)NativeLibrary.GetExport(library, "sqlite3_libversion_number"))();
}
