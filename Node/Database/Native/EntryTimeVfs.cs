using System.Runtime.InteropServices;

namespace DistDb.Node.Database.Native;

/// <summary>
/// A copy of SQLite's default virtual file system whose clock shows the time of the log entry being executed. It is the one place
/// through which every form of <c>'now'</c> passes, in statements, column defaults and triggers alike.
/// </summary>
internal static unsafe class EntryTimeVfs
{
    /// <summary>SQLite counts time in milliseconds since noon in Greenwich on November 24, 4714 B.C.; this is 1970 on that scale.</summary>
    private const long UnixEpochJulianMs = 210_866_760_000_000;

    private const double DayMs = 86_400_000.0;

    private static readonly byte* _name = Register();

    [ThreadStatic]
    private static long _unixMs;

    /// <summary>The name to open a database with; registers the file system on first use.</summary>
    public static byte* Name => _name;

    /// <summary>
    /// Sets the clock of the calling thread, in milliseconds since 1970 UTC. By thread, because SQLite asks for the time without
    /// saying for which connection, and several replicas may live in one process; so set it before each run of statements.
    /// </summary>
    public static void SetClock(long unixMs) => _unixMs = unixMs;

    private static byte* Register()
    {
        // Never freed: SQLite keeps both for the life of the process.
        var vfs = (Sqlite3.Vfs*)NativeMemory.Alloc((nuint)sizeof(Sqlite3.Vfs));
        *vfs = *Sqlite3.sqlite3_vfs_find(null);
        vfs->Next = 0;
        vfs->Name = (byte*)Marshal.StringToCoTaskMemUTF8("distdb");
        vfs->CurrentTime = &CurrentTime;
        vfs->CurrentTimeInt64 = &CurrentTimeInt64;
        var code = Sqlite3.sqlite3_vfs_register(vfs, makeDefault: 0);
        return code == Sqlite3.Ok
            ? vfs->Name
            : throw new InvalidOperationException($"SQLite did not register the entry time file system (code {code}).");
    }

    [UnmanagedCallersOnly]
    private static int CurrentTime(Sqlite3.Vfs* vfs, double* julianDays)
    {
        *julianDays = (_unixMs + UnixEpochJulianMs) / DayMs;
        return Sqlite3.Ok;
    }

    [UnmanagedCallersOnly]
    private static int CurrentTimeInt64(Sqlite3.Vfs* vfs, long* julianMs)
    {
        *julianMs = _unixMs + UnixEpochJulianMs;
        return Sqlite3.Ok;
    }
}
