using System.Globalization;
using DistDb.Node.Database.Native;
using Microsoft.Data.Sqlite;

namespace DistDb.Node.Database;

/// <summary>Whole database files and folders of them: copying, looking into, putting one in another's place.</summary>
public static class DatabaseFile
{
    /// <summary>What a database's file is called after its name.</summary>
    public const string Extension = ".db";

    private const string ListName = "databases";

    private static readonly string[] _suffixes = ["", "-wal", "-shm"];

    /// <summary>The file of a database in a folder of them.</summary>
    public static string PathIn(string folder, string name) => Path.Combine(folder, name + Extension);

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

    /// <summary>Makes a folder of databases ready for <see cref="ReplaceFolder"/>: writes down what is in it. On disk when it returns.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static void SealFolder(string folder) =>
        DurableFile.Write(Path.Combine(folder, ListName), string.Join('\n', Directory.GetFiles(folder, PathIn("", "*")).Select(Path.GetFileName)));

    /// <summary>
    /// Puts the files of a sealed folder in the place of another's, which nobody has open. Either may be on a disk of its own. Safe to call again
    /// after a crash in its middle: what the sealed folder has not any more is in its place. On disk when it returns.
    /// </summary>
    /// <exception cref="IOException">A file cannot be moved.</exception>
    public static void ReplaceFolder(string folder, string sealedFolder)
    {
        var list = Path.Combine(sealedFolder, ListName);
        if (File.Exists(list))
        {
            // The old files' write-ahead logs would be taken for the new ones': they must be gone for good before.
            var names = File.ReadAllText(list).Split('\n');
            Directory.CreateDirectory(folder);
            foreach (var file in Directory.GetFiles(folder).Where(f => !names.Contains(Path.GetFileName(f))))
            {
                File.Delete(file);
            }

            FolderSync.Flush(folder);
            foreach (var name in names.Where(n => File.Exists(Path.Combine(sealedFolder, n))))
            {
                Move(Path.Combine(sealedFolder, name), Path.Combine(folder, name));
            }

            FolderSync.Flush(folder);
            File.Delete(list);
        }

        if (Directory.Exists(sealedFolder))
        {
            Directory.Delete(sealedFolder, recursive: true);
            FolderSync.Flush(Path.GetDirectoryName(sealedFolder)!);
        }
    }

    /// <summary>
    /// Moves the files of a folder of databases, which nobody has open, to another, and leaves it empty. Does again what a crash in its middle left over. On disk when it
    /// returns.
    /// </summary>
    /// <exception cref="IOException">A file cannot be moved.</exception>
    public static void MoveFolderAside(string folder, string target)
    {
        Directory.CreateDirectory(folder);
        Directory.CreateDirectory(target);
        foreach (var file in Directory.GetFiles(folder))
        {
            Move(file, Path.Combine(target, Path.GetFileName(file)));
        }

        FolderSync.Flush(target);
        FolderSync.Flush(Path.GetDirectoryName(target)!);
        FolderSync.Flush(folder);
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

    /// <summary>Copies a file's content over what a connection has open, in one transaction. The connection has none open itself.</summary>
    /// <exception cref="StorageFailedException">Reading or writing failed; nothing was changed.</exception>
    internal static void Overwrite(Connection target, string path)
    {
        using var source = Connection.OpenReader(path);
        if (CopyPages(source.Handle, target.Handle) is var code && code != Sqlite3.Ok)
        {
            throw target.StorageFailed(code);
        }
    }

    /// <summary>Gives a file that has none the tables that the cluster keeps in a database, with the rows that another has as of its last commit.</summary>
    /// <exception cref="StorageFailedException">Reading or writing failed.</exception>
    internal static void CopyInternals(string source, string path)
    {
        try
        {
            using var connection = PlainSqlite.Open(path);
            foreach (var sql in InternalSchema.Create)
            {
                PlainSqlite.Run(connection, sql);
            }

            PlainSqlite.Run(connection, "ATTACH $file AS source", source);
            PlainSqlite.Run(connection, "BEGIN");
            foreach (var table in InternalTables(connection, "source"))
            {
                PlainSqlite.Run(connection, $"DELETE FROM main.{table}");
                PlainSqlite.Run(connection, $"INSERT INTO main.{table} SELECT * FROM source.{table}");
            }

            PlainSqlite.Run(connection, "COMMIT");
        }
        catch (SqliteException e)
        {
            throw new StorageFailedException(
                $"The cluster's own tables could not be copied from {source} to {path}: {e.Message} The database is as it was; check the disk's space, then start the node again.",
                e.SqliteExtendedErrorCode,
                e.Message);
        }
    }

    /// <summary>The names of the cluster's own tables in one of a connection's databases.</summary>
    internal static IReadOnlyList<string> InternalTables(SqliteConnection connection, string schema) => PlainSqlite.Texts(
        connection, $"SELECT name FROM {schema}.sqlite_master WHERE type = 'table' AND substr(name, 1, 8) = '{InternalSchema.Prefix}' COLLATE NOCASE");

    private static unsafe int CopyPages(nint source, nint target)
    {
        const int AllPages = -1;
        fixed (byte* main = "main\0"u8)
        {
            var backup = Sqlite3.sqlite3_backup_init(target, main, source, main);
            if (backup == 0)
            {
                return Sqlite3.sqlite3_extended_errcode(target);
            }

            _ = Sqlite3.sqlite3_backup_step(backup, AllPages);
            return Sqlite3.sqlite3_backup_finish(backup);
        }
    }

    private static unsafe void Backup(Connection source, string copy)
    {
        nint target = 0;
        try
        {
            var code = Sqlite3.sqlite3_open_v2(copy, out target, Sqlite3.OpenReadWrite | Sqlite3.OpenCreate, null);
            if (code == Sqlite3.Ok)
            {
                code = CopyPages(source.Handle, target);
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
            throw new StorageFailedException(
                $"The file {path} is not a database of distdb: {e.Message} Nothing was changed.",
                e.SqliteErrorCode == Error ? SqliteErrors.NotADatabase : e.SqliteExtendedErrorCode,
                e.Message);
        }
    }

    private static void Move(string file, string target)
    {
        // To another disk this is a copy, which the file itself outlives until the copy is there.
        File.Move(file, target, overwrite: true);
        using var handle = File.OpenHandle(target, FileMode.Open, FileAccess.ReadWrite);
        RandomAccess.FlushToDisk(handle);
    }
}
