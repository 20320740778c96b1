using System.Runtime.InteropServices;

namespace DistDb.Node.Database.Native;

/// <summary>
/// Refuses, on a writer, the functions that tell about one SQLite rather than about content. The authorizer could not: it is not asked
/// about the functions of a column's default. So they are shadowed by one that fails.
/// </summary>
internal static unsafe class OwnStateFunctions
{
    /// <summary>SQLITE_UTF8 | SQLITE_INNOCUOUS, so that ours is the one found in defaults and triggers too.</summary>
    private const int FunctionFlags = 0x1 | 0x200000;

    /// <summary>Registers them; the context is a handle to the <see cref="Connection"/>.</summary>
    public static void Register(nint database, nint connection)
    {
        Register(database, connection, "total_changes"u8, arguments: 0);
        Register(database, connection, "sqlite_version"u8, arguments: 0);
        Register(database, connection, "sqlite_source_id"u8, arguments: 0);
        Register(database, connection, "fts5_source_id"u8, arguments: 0);
        Register(database, connection, "sqlite_compileoption_get"u8, arguments: 1);
        Register(database, connection, "sqlite_compileoption_used"u8, arguments: 1);
        Register(database, connection, "sqlite_offset"u8, arguments: 1);
    }

    private static void Register(nint database, nint connection, ReadOnlySpan<byte> name, int arguments)
    {
        fixed (byte* text = name)
        {
            var code = Sqlite3.sqlite3_create_function_v2(database, text, arguments, FunctionFlags, connection, &Refuse, 0, 0, 0);
            if (code != Sqlite3.Ok)
            {
                throw new InvalidOperationException($"SQLite did not take a function (code {code}).");
            }
        }
    }

    [UnmanagedCallersOnly]
    private static void Refuse(nint context, int count, nint* arguments)
    {
        var connection = (Connection)GCHandle.FromIntPtr(Sqlite3.sqlite3_user_data(context)).Target!;
        connection.Authorizer.RefuseOwnStateFunction();
        fixed (byte* message = "not authorized"u8)
        {
            Sqlite3.sqlite3_result_error(context, message, -1);
        }
    }
}
