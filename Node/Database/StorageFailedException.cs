namespace DistDb.Node.Database;

/// <summary>
/// The disk, the memory or the database file failed under SQLite. It says nothing about the statement that was running, so a node
/// must stop rather than count that statement as done or as failed.
/// </summary>
public sealed class StorageFailedException(string message, int sqliteCode) : Exception(message)
{
    /// <summary>SQLite's extended result code.</summary>
    public int SqliteCode { get; } = sqliteCode;
}
