namespace DistDb.Node.Database;

/// <summary>
/// The disk, the memory or the database file failed under SQLite. It says nothing about the statement that was running, so a node
/// must stop rather than count that statement as done or as failed.
/// </summary>
/// <param name="message">For an operator, as sentences.</param>
/// <param name="sqliteCode">SQLite's extended result code.</param>
/// <param name="reason">SQLite's own words; null where the message is as good.</param>
/// <param name="isDamage">Whether the file is known to be damaged, whatever the code says.</param>
public sealed class StorageFailedException(string message, int sqliteCode, string? reason = null, bool isDamage = false) : Exception(message)
{
    /// <summary>SQLite's extended result code.</summary>
    public int SqliteCode { get; } = sqliteCode;

    /// <summary>SQLite's own words.</summary>
    public string Reason { get; } = reason ?? message;

    /// <summary>Whether (SQLITE_CORRUPT, SQLITE_NOTADB) the file is not what SQLite wrote, so that another copy of the content can take its place.</summary>
    public bool IsDamage => isDamage || (SqliteCode & 0xff) is SqliteErrors.Corrupt or SqliteErrors.NotADatabase;
}
