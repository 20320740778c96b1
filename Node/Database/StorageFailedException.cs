namespace DistDb.Node.Database;

/// <summary>
/// The disk, the memory or the database file failed under SQLite. It says nothing about the statement that was running, so a node
/// must stop rather than count that statement as done or as failed.
/// </summary>
public sealed class StorageFailedException(string message, int sqliteCode, string? reason = null) : Exception(message)
{
    /// <summary>SQLite's extended result code.</summary>
    public int SqliteCode { get; } = sqliteCode;

    /// <summary>SQLite's own words.</summary>
    public string Reason { get; } = reason ?? message;

    /// <summary>Whether (SQLITE_CORRUPT, SQLITE_NOTADB) the file is not what SQLite wrote, so that another copy of the content can take its place.</summary>
    public bool IsDamage => (SqliteCode & 0xff) is SqliteErrors.Corrupt or SqliteErrors.NotADatabase;
}
