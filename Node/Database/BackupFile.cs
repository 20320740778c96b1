using Microsoft.Data.Sqlite;

namespace DistDb.Node.Database;

/// <summary>
/// A copy of a database for whoever wants to keep it: a plain SQLite file without free pages and without what the cluster keeps in it, but for one table
/// that says what it is a copy of. <see cref="ForeignFile"/> takes it back.
/// </summary>
internal static class BackupFile
{
    /// <summary>The table, of one row: where in the log the content was taken.</summary>
    private const string Create =
        $"CREATE TABLE {Table}(database TEXT NOT NULL, applied_index INTEGER NOT NULL, time_ms INTEGER NOT NULL, cluster_id BLOB, foreign_keys INTEGER NOT NULL)";

    private const string Table = InternalSchema.Prefix + "backup";

    /// <summary>Makes a backup of a page by page copy, which is deleted.</summary>
    /// <param name="copy">As <see cref="PinnedContent.CopyTo"/> makes it.</param>
    /// <param name="path">The file to write, which is not there yet.</param>
    /// <param name="description">What it is a copy of.</param>
    /// <exception cref="StorageFailedException">A file could not be read or written.</exception>
    public static void Write(string copy, string path, BackupDescription description)
    {
        try
        {
            using (var connection = PlainSqlite.Open(copy))
            {
                PlainSqlite.Run(connection, "PRAGMA journal_mode = DELETE");
                PlainSqlite.Run(connection, "PRAGMA synchronous = OFF");
                PlainSqlite.Run(connection, "PRAGMA foreign_keys = OFF");
                PlainSqlite.Run(connection, "BEGIN");
                foreach (var table in DatabaseFile.InternalTables(connection, "main"))
                {
                    PlainSqlite.Run(connection, $"DROP TABLE {table}");
                }

                PlainSqlite.Run(connection, Create);
                using (var insert = connection.CreateCommand())
                {
                    insert.CommandText = $"INSERT INTO {Table} VALUES ($database, $index, $time, $cluster, $foreignKeys)";
                    insert.Parameters.AddWithValue("$database", description.Database);
                    insert.Parameters.AddWithValue("$index", description.Index);
                    insert.Parameters.AddWithValue("$time", description.TimeMs);
                    insert.Parameters.AddWithValue("$cluster", description.ClusterId?.ToByteArray() ?? (object)DBNull.Value);
                    insert.Parameters.AddWithValue("$foreignKeys", description.ForeignKeys ? 1 : 0);
                    insert.ExecuteNonQuery();
                }

                PlainSqlite.Run(connection, "COMMIT");

                // Unlike a plain VACUUM it keeps every rowid.
                PlainSqlite.Run(connection, "VACUUM INTO $file", path);
            }

            DatabaseFile.Delete(copy);
        }
        catch (SqliteException e)
        {
            throw new StorageFailedException($"The backup of \"{description.Database}\" could not be written: {e.Message} The database is as it was; check the disk's space.", e.SqliteExtendedErrorCode, e.Message);
        }
    }

    /// <summary>What a file is a copy of, or null where it is none of ours, or no database at all.</summary>
    public static BackupDescription? Describe(string path)
    {
        try
        {
            using var connection = PlainSqlite.Open(path, SqliteOpenMode.ReadOnly);
            if (!DatabaseFile.InternalTables(connection, "main").Contains(Table))
            {
                return null;
            }

            using var command = connection.CreateCommand();
            command.CommandText = $"SELECT database, applied_index, time_ms, cluster_id, foreign_keys FROM {Table}";
            using var row = command.ExecuteReader();
            return row.Read()
                ? new(row.GetString(0), row.GetInt64(1), row.GetInt64(2), row.IsDBNull(3) ? null : new Guid((byte[])row[3]), row.GetInt64(4) != 0)
                : null;
        }
        catch (Exception e) when (e is SqliteException or InvalidCastException or ArgumentException or InvalidOperationException)
        {
            // Whoever made it need not have been a node.
            return null;
        }
    }
}

/// <summary>What a backup is a copy of.</summary>
/// <param name="Database">Its name.</param>
/// <param name="Index">The log entry that it is at: all up to it is in the copy, and none after it.</param>
/// <param name="TimeMs">That entry's time, in milliseconds since 1970 UTC.</param>
/// <param name="ClusterId">The cluster that it is of.</param>
/// <param name="ForeignKeys">Whether foreign keys are enforced in it.</param>
internal sealed record BackupDescription(string Database, long Index, long TimeMs, Guid? ClusterId, bool ForeignKeys);
