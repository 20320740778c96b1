using System.Runtime.InteropServices;
using DistDb.Node.Database.Native;

namespace DistDb.Node.Database.Changes;

/// <summary>What this process's SQLite has of the preupdate hook, by which changes are captured. All nodes of a cluster have the same SQLite.</summary>
internal static unsafe class PreupdateHook
{
    private static readonly Lazy<bool> _countsAllColumns = new(Probe);

    [ThreadStatic]
    private static bool _isFirstNull;

    /// <summary>Whether there is one: SQLite must be built with ENABLE_PREUPDATE_HOOK, as the operating systems' libraries are.</summary>
    public static bool IsAvailable { get; } = HasOption("ENABLE_PREUPDATE_HOOK");

    /// <summary>
    /// Whether it counts a table's columns as the schema does. Older libraries leave out generated columns that are not stored, and for tables without rowids do so only for the new values
    /// of updates.
    /// </summary>
    public static bool CountsAllColumns => _countsAllColumns.Value;

    private static bool HasOption(string name)
    {
        SqliteLibrary.Initialize();
        for (var i = 0; Sqlite3.sqlite3_compileoption_get(i) is var option && option != null; i++)
        {
            if (Sqlite3.Text(option) == name)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Has it tell of a row whose first column is not stored, and sees what it takes for the first.</summary>
    private static bool Probe()
    {
        nint database = 0;
        try
        {
            fixed (byte* create = "CREATE TABLE t(v AS (1) VIRTUAL, a)\0"u8, insert = "INSERT INTO t(a) VALUES (NULL)\0"u8)
            {
                Check(Sqlite3.sqlite3_open_v2(":memory:", out database, Sqlite3.OpenReadWrite | Sqlite3.OpenCreate, null));
                Run(database, create);
                _isFirstNull = false;
                _ = Sqlite3.sqlite3_preupdate_hook(database, &RowChanging, 0);
                Run(database, insert);
            }

            return !_isFirstNull;
        }
        finally
        {
            _ = Sqlite3.sqlite3_close_v2(database);
        }
    }

    [UnmanagedCallersOnly]
    private static void RowChanging(nint context, nint database, int action, byte* schema, byte* table, long oldRowid, long newRowid) =>
        _isFirstNull = Sqlite3.sqlite3_preupdate_new(database, 0, out var value) == Sqlite3.Ok && Sqlite3.sqlite3_preupdate_new(database, 1, out _) != Sqlite3.Ok
            && Sqlite3.sqlite3_value_type(value) == Sqlite3.TypeNull;

    private static void Run(nint database, byte* sql)
    {
        Check(Sqlite3.sqlite3_prepare_v3(database, sql, -1, 0, out var statement, out _));
        var code = Sqlite3.sqlite3_step(statement);
        _ = Sqlite3.sqlite3_finalize(statement);
        Check(code == Sqlite3.Done ? Sqlite3.Ok : code);
    }

    private static void Check(int code)
    {
        if (code != Sqlite3.Ok)
        {
            throw new InvalidOperationException($"SQLite could not be asked what its preupdate hook does (code {code}).");
        }
    }
}
