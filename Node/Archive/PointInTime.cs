using System.Globalization;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using Microsoft.Data.Sqlite;

namespace DistDb.Node.Archive;

/// <summary>Makes a database as it was at a point in the log: of an earlier backup and the archived entries behind it. Needs no node.</summary>
public static class PointInTime
{
    private const int ProgressEntries = 1000;

    /// <summary>Rebuilds a database.</summary>
    /// <param name="backupPath">A backup of the database, which is left as it is.</param>
    /// <param name="archiveFolders">Where nodes of the same cluster archived their logs.</param>
    /// <param name="target">The point.</param>
    /// <param name="outputPath">The file to write, which is not there yet: a backup like any other, for <c>POST /restore</c> or for going on from it.</param>
    /// <param name="progress">Told now and then how far it is; or null.</param>
    /// <param name="cancellationToken">Ends it between two entries.</param>
    /// <exception cref="PointInTimeException">It cannot be done; nothing was written.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing was written.</exception>
    public static PointInTimeResult Rebuild(
        string backupPath, IReadOnlyList<string> archiveFolders, PointInTimeTarget target, string outputPath, IProgress<PointInTimeProgress>? progress, CancellationToken cancellationToken)
    {
        SqliteLibrary.Initialize();
        var backup = ReadBackup(backupPath);
        if (File.Exists(outputPath))
        {
            throw new PointInTimeException($"There is a file {outputPath} already. Give another name.");
        }

        if (target.Index < backup.Index || target.TimeMs < backup.TimeMs)
        {
            throw new PointInTimeException(string.Create(
                CultureInfo.InvariantCulture, $"The backup is of {Describe(backup.Index, backup.TimeMs)}, and {target} is before that. Take an older backup."));
        }

        var log = ArchivedLog.Open(archiveFolders, backup.ClusterId!.Value);
        var folder = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(outputPath))!, $".distdb-{Guid.NewGuid():n}");
        try
        {
            var plan = ArchivePlan.Make(log, backup, target, cancellationToken);
            PrivateFolder.Create(folder);
            long entryCount;
            bool foreignKeys;
            var path = Path.Combine(folder, "database");
            using (var replay = ArchiveReplay.Begin(backupPath, backup, path, plan.Loads.Count == 0 ? null : folder))
            {
                Replay(log, plan, backup, replay, progress, cancellationToken);
                replay.End(plan.Index);
                (entryCount, foreignKeys) = (replay.EntryCount, replay.ForeignKeys);
            }

            var made = Path.Combine(folder, "made");
            BackupFile.Write(path, made, backup with { Index = plan.Index, TimeMs = plan.TimeMs, ForeignKeys = foreignKeys });
            using (var handle = File.OpenHandle(made, FileMode.Open, FileAccess.ReadWrite))
            {
                RandomAccess.FlushToDisk(handle);
            }

            File.Move(made, outputPath);
            return new(
                backup.Database, plan.Index, plan.TimeMs, backup.Index, entryCount, foreignKeys, log.SqliteFingerprints.Any(f => f != SqliteLibrary.Fingerprint));
        }
        catch (Exception e) when (e is StorageFailedException or IOException or UnauthorizedAccessException or SqliteException or InvalidDataException)
        {
            throw new PointInTimeException($"The database could not be rebuilt: {e.Message} Nothing was written to {outputPath}.", e);
        }
        catch (ObservationDifferedException e)
        {
            var other = log.SqliteFingerprints.FirstOrDefault(f => f != SqliteLibrary.Fingerprint) is { } fingerprint
                ? $" The entries were executed by another SQLite ({fingerprint}) than is here ({SqliteLibrary.Fingerprint}), which may be why: try it on a machine with that one."
                : " The backup is not what the cluster had, or the cluster's nodes did not agree on this entry, which this archive cannot tell: add other nodes' archives, or take a later backup.";
            throw new PointInTimeException(string.Create(
                CultureInfo.InvariantCulture, $"Entry {e.Entry} does something else here than in the cluster: {e.Message}{other} Points up to entry {e.Entry - 1} can be had. Nothing was written to {outputPath}."), e);
        }
        finally
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    /// <summary>An entry and its time, for people.</summary>
    internal static string Describe(long index, long timeMs) => string.Create(CultureInfo.InvariantCulture, $"entry {index} of {PointInTimeTarget.Describe(timeMs)}");

    private static void Replay(
        ArchivedLog log, ArchivePlan plan, BackupDescription backup, ArchiveReplay replay, IProgress<PointInTimeProgress>? progress, CancellationToken cancellationToken)
    {
        if (plan.Loads.Exists(l => l.CreatedAt is null))
        {
            // A file that was on its way when the backup was made.
            foreach (var entry in log.ReadUpTo(new(backup.Index)))
            {
                cancellationToken.ThrowIfCancellationRequested();
                replay.ApplyToStaging(entry, plan);
            }
        }

        foreach (var entry in log.Read(new(backup.Index + 1)).TakeWhile(e => e.Entry.Index.Value <= plan.Index))
        {
            cancellationToken.ThrowIfCancellationRequested();
            replay.Apply(entry, plan);
            if (entry.Entry.Index.Value % ProgressEntries == 0 || entry.Entry.Index.Value == plan.Index)
            {
                progress?.Report(new(entry.Entry.Index.Value, backup.Index, plan.Index));
            }
        }
    }

    private static BackupDescription ReadBackup(string path)
    {
        if (!File.Exists(path))
        {
            throw new PointInTimeException($"There is no file {path}.");
        }

        var backup = BackupFile.Describe(path);
        return backup is not { ClusterId: not null }
            ? throw new PointInTimeException($"{path} does not say which entry of which cluster's log it is of, so that nothing can be added to it. Give a backup of one database that distdb made, as it is.")
            : backup.Database == DatabaseName.HistoryQuery.Value
            ? throw new PointInTimeException($"The database \"{backup.Database}\" is written by the cluster alone, and cannot be restored.")
            : backup;
    }
}
