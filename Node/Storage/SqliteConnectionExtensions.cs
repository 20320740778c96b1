using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace DistDb.Node.Storage;

internal static class SqliteConnectionExtensions
{
    private const int ConfigNoCheckpointOnClose = 1006;

    /// <summary>Leaves the file and its write-ahead log as they are when the connection is closed.</summary>
    public static void KeepAsIs(this SqliteConnection connection)
    {
        // Fails only where there is no open file, and then there is nothing to keep.
        _ = connection.Handle is { IsClosed: false } handle ? raw.sqlite3_db_config(handle, ConfigNoCheckpointOnClose, 1, out _) : 0;
    }
}
