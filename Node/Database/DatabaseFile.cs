using System.Globalization;
using Microsoft.Data.Sqlite;

namespace DistDb.Node.Database;

/// <summary>Whole database files: consistent copies of them, and putting one in another's place.</summary>
public static class DatabaseFile
{
    /// <summary>
    /// Copies a database as of one moment, while it is read and written; page by page, so that everything keeps its place and the copy
    /// answers every query in the same order. On disk when it returns.
    /// </summary>
    /// <returns>The log entry that the copy is at.</returns>
    /// <exception cref="StorageFailedException">Reading or writing failed; the copy is of no use.</exception>
    public static long Copy(string path, string copy)
    {
        try
        {
            File.Delete(copy);
            using (var source = Open($"Data Source={path};Mode=ReadOnly;Pooling=False"))
            using (var target = Open($"Data Source={copy};Pooling=False"))
            {
                source.BackupDatabase(target);
            }

            using (var handle = File.OpenHandle(copy, FileMode.Open, FileAccess.ReadWrite))
            {
                RandomAccess.FlushToDisk(handle);
            }

            return ReadAppliedIndex(copy);
        }
        catch (SqliteException e)
        {
            throw new StorageFailedException(
                $"The database {path} could not be copied to {copy}: {e.Message} Nothing was changed; check the disk's space.", e.SqliteExtendedErrorCode);
        }
    }

    /// <summary>The log entry that a closed database file is at.</summary>
    /// <exception cref="StorageFailedException">The file is no database of ours.</exception>
    public static long ReadAppliedIndex(string path) => Convert.ToInt64(ReadState(path, "applied_index"), CultureInfo.InvariantCulture);

    /// <summary>Who belonged to the cluster at that entry, as <see cref="DatabaseWriter.SetMembership"/> stored it; null if it never did.</summary>
    /// <exception cref="StorageFailedException">The file is no database of ours.</exception>
    public static byte[]? ReadMembership(string path) => ReadState(path, "membership") as byte[];

    private static object? ReadState(string path, string column)
    {
        try
        {
            // Immutable: looks at the file alone and leaves nothing beside it.
            using var connection = Open($"Data Source=file:{Uri.EscapeDataString(path)}?immutable=1;Mode=ReadOnly;Pooling=False");
            using var command = connection.CreateCommand();
            command.CommandText = $"SELECT {column} FROM _distdb_state";
            return command.ExecuteScalar();
        }
        catch (SqliteException e)
        {
            throw new StorageFailedException(
                $"The file {path} is not a database of distdb: {e.Message} Nothing was changed.", e.SqliteExtendedErrorCode);
        }
    }

    /// <summary>
    /// Puts <paramref name="newFile"/> in the place of a database that nobody has open. Safe to call again after a crash in its middle, as long as
    /// the new file is still at its first place. On disk when it returns.
    /// </summary>
    /// <exception cref="IOException">The file cannot be moved.</exception>
    public static void Replace(string path, string newFile)
    {
        // The old file's write-ahead log would be taken for the new one's: it must be gone for good before.
        var folder = Path.GetDirectoryName(path)!;
        File.Delete(path + "-wal");
        File.Delete(path + "-shm");
        FolderSync.Flush(folder);
        File.Move(newFile, path, overwrite: true);
        FolderSync.Flush(folder);
        FolderSync.Flush(Path.GetDirectoryName(newFile)!);
    }

    /// <summary>
    /// Moves a database that nobody has open, with what SQLite keeps beside it, to another name in a folder that exists. Does again what a
    /// crash in its middle left over. On disk when it returns.
    /// </summary>
    /// <exception cref="IOException">A file cannot be moved.</exception>
    public static void MoveAside(string path, string target)
    {
        foreach (var suffix in (string[])["", "-wal", "-shm"])
        {
            if (File.Exists(path + suffix))
            {
                File.Move(path + suffix, target + suffix, overwrite: true);
            }
        }

        FolderSync.Flush(Path.GetDirectoryName(target)!);
        FolderSync.Flush(Path.GetDirectoryName(path)!);
    }

    private static SqliteConnection Open(string connectionString)
    {
        var connection = new SqliteConnection(connectionString);
        connection.Open();
        return connection;
    }
}
