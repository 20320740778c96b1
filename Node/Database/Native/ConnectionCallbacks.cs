using System.Runtime.InteropServices;

namespace DistDb.Node.Database.Native;

/// <summary>What SQLite calls back for a connection. The context is always a handle to the <see cref="Connection"/>.</summary>
internal static unsafe class ConnectionCallbacks
{
    /// <summary>Instructions between two looks at the clock: about every 20 microseconds, at a cost below a hundredth.</summary>
    private const int InstructionsBetweenLooks = 1000;

    private const long ReservedRowid = long.MaxValue;
    private const int ActionDelete = 9;

    /// <summary>Installs them; once for each connection, as installing the authorizer again would expire every prepared statement.</summary>
    public static void Install(nint database, nint connection)
    {
        _ = Sqlite3.sqlite3_set_authorizer(database, &Authorize, connection);
        Sqlite3.sqlite3_progress_handler(database, InstructionsBetweenLooks, &LookAtLimit, connection);
        _ = Sqlite3.sqlite3_update_hook(database, &RowChanged, connection);
    }

    [UnmanagedCallersOnly]
    private static int Authorize(nint context, int action, byte* first, byte* second, byte* schema, byte* source) =>
        Target(context).Authorizer.Decide(
            (AuthorizerAction)action,
            MemoryMarshal.CreateReadOnlySpanFromNullTerminated(first),
            MemoryMarshal.CreateReadOnlySpanFromNullTerminated(second),
            MemoryMarshal.CreateReadOnlySpanFromNullTerminated(schema));

    [UnmanagedCallersOnly]
    private static int LookAtLimit(nint context) => Target(context).Limit.IsReached ? 1 : 0;

    [UnmanagedCallersOnly]
    private static void RowChanged(nint context, int action, byte* schema, byte* table, long rowid)
    {
        if (rowid == ReservedRowid && action != ActionDelete)
        {
            Target(context).ReservedRowidUsed = true;
        }
    }

    private static Connection Target(nint context) => (Connection)GCHandle.FromIntPtr(context).Target!;
}
