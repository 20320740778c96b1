using System.Globalization;
using DistDb.Node.Database.Native;
using Microsoft.Data.Sqlite;

namespace DistDb.Node.Database;

/// <summary>Whole database files and folders of them: copying, looking into, putting one in another's place.</summary>
public static class DatabaseFile
{
    private static readonly string[] _suffixes = ["", "-wal", "-shm"];

    /// <summary>The log entry that a closed database file is at.</summary>
    /// <exception cref="StorageFailedException">The file is no database of ours.</exception>
    public static long ReadAppliedIndex(string path) => Convert.ToInt64(ReadState(path, "applied_index"), CultureInfo.InvariantCulture);

    /// <summary>Who belonged to the cluster at that entry, as <see cref="DatabaseWriter.SetMembership"/> stored it; null if it never did.</summary>
    /// <exception cref="StorageFailedException">The file is no database of ours.</exception>
    public static byte[]? ReadMembership(string path) => ReadState(path, "membership") as byte[];

    /// <summary>Deletes a database that is not written any more, with what SQLite keeps beside it. On disk when it returns.</summary>
    /// <exception cref="IOException">A file cannot be deleted.</exception>
    public static void Delete(string path)
    {
        foreach (var suffix in _suffixes)
        {
            File.Delete(path + suffix);
        }

        FolderSync.Flush(Path.GetDirectoryName(path)!);
    }

    /// <summary>
    /// Puts a folder of databases in the place of another, whose files nobody has open. Safe to call again after a crash in its middle, as long as
    /// the new folder is still at its first place. On disk when it returns.
    /// </summary>
    /// <exception cref="IOException">A folder cannot be moved.</exception>
    public static void ReplaceFolder(string folder, string newFolder)
    {
        var old = folder + ".old";
        if (Directory.Exists(newFolder))
        {
            DeleteFolder(old);
            if (Directory.Exists(folder))
            {
                Directory.Move(folder, old);
            }

            Directory.Move(newFolder, folder);
            FolderSync.Flush(folder);
            FolderSync.Flush(Path.GetDirectoryName(folder)!);
            FolderSync.Flush(Path.GetDirectoryName(newFolder)!);
        }

        DeleteFolder(old);
    }

    /// <summary>
    /// Moves a folder of databases, whose files nobody has open, to another place, and leaves an empty one. Does nothing where the other place is
    /// taken: then an earlier process came so far. On disk when it returns.
    /// </summary>
    /// <exception cref="IOException">The folder cannot be moved.</exception>
    public static void MoveFolderAside(string folder, string target)
    {
        if (!Directory.Exists(target))
        {
            Directory.Move(folder, target);
            FolderSync.Flush(Path.GetDirectoryName(target)!);
        }

        Directory.CreateDirectory(folder);
        FolderSync.Flush(Path.GetDirectoryName(folder)!);
    }

    /// <summary>Has the disk confirm what SQLite's write-ahead log of a database holds.</summary>
    /// <exception cref="IOException">It cannot.</exception>
    internal static void FlushLog(string path)
    {
        // SQLite has no locks on this file that closing it would drop.
        using var log = File.OpenHandle(path + "-wal", FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        RandomAccess.FlushToDisk(log);
    }

    /// <summary>
    /// Copies what a connection's open transaction sees, page by page, so that everything keeps its place and the copy answers every query in the
    /// same order. On disk when it returns.
    /// </summary>
    /// <exception cref="StorageFailedException">Reading or writing failed; the copy is of no use.</exception>
    internal static void Copy(Connection source, string copy)
    {
        Delete(copy);
        Backup(source, copy);
        using var handle = File.OpenHandle(copy, FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.FlushToDisk(handle);
    }

    private static unsafe void Backup(Connection source, string copy)
    {
        const int AllPages = -1;
        nint target = 0;
        fixed (byte* main = "main\0"u8)
        {
            try
            {
                var code = Sqlite3.sqlite3_open_v2(copy, out target, Sqlite3.OpenReadWrite | Sqlite3.OpenCreate, null);
                if (code == Sqlite3.Ok)
                {
                    var backup = Sqlite3.sqlite3_backup_init(target, main, source.Handle, main);
                    if (backup != 0)
                    {
                        _ = Sqlite3.sqlite3_backup_step(backup, AllPages);
                        code = Sqlite3.sqlite3_backup_finish(backup);
                    }
                    else
                    {
                        code = Sqlite3.sqlite3_extended_errcode(target);
                    }
                }

                if (code != Sqlite3.Ok)
                {
                    throw new StorageFailedException(
                        $"The database {source.Path} could not be copied to {copy}: {Sqlite3.Text(Sqlite3.sqlite3_errmsg(target))} (code {code}). Nothing was changed; check the disk's space.",
                        code);
                }
            }
            finally
            {
                _ = Sqlite3.sqlite3_close_v2(target);
            }
        }
    }

    private static object? ReadState(string path, string column)
    {
        try
        {
            // Immutable: looks at the file alone and leaves nothing beside it.
            using var connection = new SqliteConnection($"Data Source=file:{Uri.EscapeDataString(path)}?immutable=1;Mode=ReadOnly;Pooling=False");
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = $"SELECT {column} FROM _distdb_state";
            return command.ExecuteScalar();
        }
        catch (SqliteException e)
        {
            const int Error = 1;
            const int NotADatabase = 26;
            throw new StorageFailedException(
                $"The file {path} is not a database of distdb: {e.Message} Nothing was changed.",
                e.SqliteErrorCode == Error ? NotADatabase : e.SqliteExtendedErrorCode,
                e.Message);
        }
    }

    private static void DeleteFolder(string folder)
    {
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
