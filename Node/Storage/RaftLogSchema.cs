using Microsoft.Data.Sqlite;

namespace DistDb.Node.Storage;

/// <summary>
/// The tables of <c>raft.db</c>. Whatever is not exactly as it was made is damage: a table whose name has a bit changed must not be taken for
/// one that is missing and made anew, empty.
/// </summary>
internal static class RaftLogSchema
{
    private static readonly string[] _tables =
    [
        "CREATE TABLE base (id INTEGER PRIMARY KEY CHECK (id = 0), idx INTEGER NOT NULL, term INTEGER NOT NULL, checksum INTEGER NOT NULL, membership BLOB)",
        "CREATE TABLE entries (idx INTEGER PRIMARY KEY, term INTEGER NOT NULL, kind INTEGER NOT NULL, checksum INTEGER NOT NULL, data BLOB NOT NULL)",
        "CREATE TABLE hard_state (id INTEGER PRIMARY KEY CHECK (id = 0), term INTEGER NOT NULL, voted_for INTEGER, checksum INTEGER NOT NULL)",
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL, checksum INTEGER NOT NULL) WITHOUT ROWID",
    ];

    /// <summary>Whether the file was made a moment ago, or by a process that died before it wrote anything.</summary>
    /// <param name="connection">The open file.</param>
    /// <param name="fileBytes">Its size before it was opened.</param>
    public static bool IsNew(SqliteConnection connection, long fileBytes) =>
        fileBytes <= 4096 && Scalar(connection, "PRAGMA page_count") <= 1 && Scalar(connection, "SELECT count(*) FROM sqlite_master") == 0;

    /// <summary>Makes the tables, as part of the open transaction.</summary>
    public static void Create(SqliteConnection connection)
    {
        foreach (var table in _tables)
        {
            using var command = connection.CreateCommand();
            command.CommandText = table;
            command.ExecuteNonQuery();
        }
    }

    /// <summary>What is wrong with the file's structure, or null: its pages as SQLite's <c>quick_check</c> sees them, and the tables.</summary>
    public static string? FindDamage(SqliteConnection connection)
    {
        using (var check = connection.CreateCommand())
        {
            check.CommandText = "PRAGMA quick_check(1)";
            if (check.ExecuteScalar() is string and not "ok" and var damage)
            {
                return damage.ReplaceLineEndings(" ");
            }
        }

        using var select = connection.CreateCommand();
        select.CommandText = "SELECT sql FROM sqlite_master WHERE type = 'table' ORDER BY name";
        using var row = select.ExecuteReader();
        List<string> found = [];
        while (row.Read())
        {
            found.Add(row.IsDBNull(0) ? "" : row.GetString(0));
        }

        return found.SequenceEqual(_tables) ? null : "its tables are not those of a Raft log";
    }

    private static long Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }
}
