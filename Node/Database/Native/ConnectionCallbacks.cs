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

    /// <summary>
    /// Has SQLite tell <see cref="Connection.Capture"/> of each row before it is changed, or not any more. Statements that were compiled before do not all do so: DELETE without
    /// WHERE empties a table at once.
    /// </summary>
    public static void InstallPreupdate(nint database, nint connection, bool isOn) =>
        _ = Sqlite3.sqlite3_preupdate_hook(database, isOn ? &RowChanging : null, connection);

    [UnmanagedCallersOnly]
    private static void RowChanging(nint context, nint database, int action, byte* schema, byte* table, long oldRowid, long newRowid)
    {
        var connection = Target(context);
        if (!connection.Authorizer.Bypass)
        {
            connection.Capture?.Add(action, table, oldRowid, newRowid);
        }
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
