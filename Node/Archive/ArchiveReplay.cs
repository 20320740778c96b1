using System.Globalization;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using Microsoft.Data.Sqlite;

namespace DistDb.Node.Archive;

/// <summary>
/// One database, and the staging databases of files that become its content, brought forward entry by entry as <see cref="DatabaseSet"/> does it
/// with all databases. What an entry does in one file depends on the entry and that file alone.
/// </summary>
internal sealed class ArchiveReplay : IDisposable
{
    /// <summary>SQLite's write-ahead log is moved into the file after so many entries, or it would grow without a bound.</summary>
    private const int CheckpointEntries = 1000;

    private readonly string _name;
    private readonly string _path;
    private readonly string? _stagingFolder;
    private readonly Dictionary<string, DatabaseWriter> _staging = [];
    private DatabaseWriter? _database;
    private long? _droppedAt;

    private ArchiveReplay(string name, string path, string? stagingFolder, bool foreignKeys)
    {
        _name = name;
        _path = path;
        _stagingFolder = stagingFolder;
        ForeignKeys = foreignKeys;
    }

    /// <summary>Whether foreign keys are enforced in the database.</summary>
    public bool ForeignKeys { get; private set; }

    /// <summary>How many entries had to do with the database.</summary>
    public long EntryCount { get; private set; }

    /// <summary>Copies a backup to a file of its own, and makes a database of it.</summary>
    /// <param name="backupPath">The backup.</param>
    /// <param name="backup">What it is.</param>
    /// <param name="path">The file to work on.</param>
    /// <param name="stagingFolder">A folder for staging databases; null where none are needed.</param>
    /// <exception cref="IOException">The file cannot be copied.</exception>
    /// <exception cref="SqliteException">The backup is damaged.</exception>
    /// <exception cref="StorageFailedException">The backup is damaged, or the disk failed.</exception>
    public static ArchiveReplay Begin(string backupPath, BackupDescription backup, string path, string? stagingFolder)
    {
        File.Copy(backupPath, path);
        using (var connection = PlainSqlite.Open(path))
        {
            foreach (var table in DatabaseFile.InternalTables(connection, "main"))
            {
                PlainSqlite.Run(connection, $"DROP TABLE {table}");
            }
        }

        var replay = new ArchiveReplay(backup.Database, path, stagingFolder, backup.ForeignKeys);
        try
        {
            replay._database = replay.Open(new(backup.Index, backup.TimeMs, 0));
            return replay;
        }
        catch
        {
            replay.Dispose();
            throw;
        }
    }

    /// <summary>Applies the next entry, as far as it has to do with the database.</summary>
    /// <exception cref="ObservationDifferedException">It does something else here than it did in the cluster.</exception>
    /// <exception cref="PointInTimeException">A file that became the content is not there as a whole.</exception>
    /// <exception cref="StorageFailedException">The disk failed.</exception>
    public void Apply(ArchivedEntry archived, ArchivePlan plan)
    {
        if (ArchivePlan.BatchOf(archived.Entry) is not { } batch)
        {
            return;
        }

        var stamp = new EntryStamp(archived.Entry.Index.Value, batch.TimeMs, batch.Seed);
        ApplyToStaging(archived, batch, stamp, plan);
        if (_database is not null && Replay(archived, batch, stamp, _name, _database))
        {
            Count(_database);
        }

        // An operation is the last write of its entry.
        switch (batch.Writes[^1].Command.Operation)
        {
            case CreateDatabaseOperation create when create.Name == _name && _database is null && _name != DatabaseName.Main.Value:
                ForeignKeys = create.ForeignKeys;
                _database = Open(stamp);
                EntryCount++;
                break;
            case DropDatabaseOperation drop when drop.Name == _name && _database is not null:
                _database.Dispose();
                _database = null;
                _droppedAt = stamp.Index;
                DatabaseFile.Delete(_path);
                EntryCount++;
                break;
            case LoadDatabaseOperation load when load.Name == _name:
                Load(load, stamp);
                EntryCount++;
                break;
        }
    }

    /// <summary>Applies an entry that the backup holds to the staging databases alone.</summary>
    /// <inheritdoc cref="Apply" path="/exception"/>
    public void ApplyToStaging(ArchivedEntry archived, ArchivePlan plan)
    {
        if (ArchivePlan.BatchOf(archived.Entry) is { } batch)
        {
            ApplyToStaging(archived, batch, new(archived.Entry.Index.Value, batch.TimeMs, batch.Seed), plan);
        }
    }

    /// <summary>Ends it; the file is then ready to be copied.</summary>
    /// <param name="index">The entry that was to be reached.</param>
    /// <exception cref="PointInTimeException">There is no database at this point.</exception>
    public void End(long index)
    {
        if (_database is null)
        {
            throw new PointInTimeException(string.Create(
                CultureInfo.InvariantCulture,
                $"At entry {index} there was no database \"{_name}\": entry {_droppedAt} dropped it. To have it as it was before that, ask for entry {_droppedAt - 1}."));
        }

        Dispose();
    }

    public void Dispose()
    {
        _database?.Dispose();
        _database = null;
        foreach (var staging in _staging.Values)
        {
            staging.Dispose();
        }

        _staging.Clear();
    }

    private void ApplyToStaging(ArchivedEntry archived, WriteBatch batch, EntryStamp stamp, ArchivePlan plan)
    {
        foreach (var name in batch.Writes.Where(w => w.Command.Operation is null && plan.IsWanted(w.Command.Database)).Select(w => w.Command.Database).Distinct())
        {
            if (!_staging.TryGetValue(name, out var staging))
            {
                staging = _staging[name] = DatabaseWriter.Open(DatabaseFile.PathIn(_stagingFolder!, name), new());
            }

            if (stamp.Index > staging.AppliedIndex)
            {
                Replay(archived, batch, stamp, name, staging);
            }
        }
    }

    /// <summary>Executes what an entry writes to one database. False where that is nothing.</summary>
    private static bool Replay(ArchivedEntry archived, WriteBatch batch, EntryStamp stamp, string name, DatabaseWriter writer)
    {
        var ordinals = Enumerable.Range(0, batch.Writes.Count).Where(i => batch.Writes[i].Command is { Operation: null } command && command.Database == name).ToList();
        if (ordinals.Count == 0)
        {
            return false;
        }

        if (archived.Overruled is null)
        {
            writer.Begin(stamp);
            ordinals.ForEach(i => writer.Replay(batch.Writes[i], i, collectRows: false));
            writer.Commit();
            return true;
        }

        // As a majority had it. Where a write makes SQLite roll back the whole entry, that is begun again without it.
        while (true)
        {
            writer.Begin(stamp);
            var lost = ordinals.FindIndex(i =>
            {
                _ = writer.ReplayOverruling(batch.Writes[i], i, collectRows: false);
                return writer.TransactionLost;
            });
            if (lost < 0)
            {
                writer.Commit();
                return true;
            }

            writer.Rollback();
            ordinals.RemoveAt(lost);
        }
    }

    /// <summary>Puts a file's content in the database's place, or makes the database of it.</summary>
    private void Load(LoadDatabaseOperation load, EntryStamp stamp)
    {
        var path = DatabaseFile.PathIn(_stagingFolder!, load.Staging);
        if (!_staging.Remove(load.Staging, out var staging))
        {
            throw IsIncomplete(stamp.Index);
        }

        using (staging)
        {
            if (StagedFile.Measure(path) != load.ByteCount)
            {
                throw IsIncomplete(stamp.Index);
            }

            if (_database is null)
            {
                ForeignKeys = load.ForeignKeys;
            }

            _database?.Dispose();
            _database = null;
            DatabaseFile.Delete(_path);
            StagedFile.Assemble(path, _path);
        }

        DatabaseFile.Delete(path);
        _database = Open(stamp);
    }

    /// <summary>Opens the file as one that is at an entry.</summary>
    private DatabaseWriter Open(EntryStamp stamp)
    {
        var writer = DatabaseWriter.Open(_path, new(), keepsHistory: false, ForeignKeys);
        try
        {
            writer.Begin(stamp);
            writer.Commit();
            return writer;
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    private void Count(DatabaseWriter database)
    {
        if (++EntryCount % CheckpointEntries == 0)
        {
            _ = database.Checkpoint();
        }
    }

    private PointInTimeException IsIncomplete(long index) => new(string.Create(
        CultureInfo.InvariantCulture,
        $"Entry {index} made a file the content of \"{_name}\", and the archive does not have all of that file, which began to come in before the archive did. Take a backup that was made at entry {index} or later, or ask for a point up to entry {index - 1}."));
}
