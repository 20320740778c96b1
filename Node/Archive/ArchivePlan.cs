using System.Globalization;
using DistDb.Node.Commands;
using DistDb.Node.Database;

namespace DistDb.Node.Archive;

/// <summary>What is to be replayed to reach a point.</summary>
/// <param name="Database">The database.</param>
/// <param name="Index">The last entry.</param>
/// <param name="TimeMs">Its time, in milliseconds since 1970 UTC.</param>
/// <param name="Loads">The files that became the database's content on the way.</param>
internal sealed record ArchivePlan(string Database, long Index, long TimeMs, List<ArchivedLoad> Loads)
{
    /// <summary>Whether a database is one by which such a file came.</summary>
    public bool IsWanted(string staging) => Loads.Exists(l => l.Staging == staging);

    /// <summary>Reads the archive from a backup up to a point.</summary>
    /// <exception cref="PointInTimeException">The archive does not reach it.</exception>
    public static ArchivePlan Make(ArchivedLog log, BackupDescription backup, PointInTimeTarget target, CancellationToken cancellationToken)
    {
        var (index, timeMs) = (backup.Index, backup.TimeMs);
        List<ArchivedLoad> loads = [];
        Dictionary<string, long> created = [];
        var isReached = target.Index == index;
        if (!isReached)
        {
            foreach (var (entry, _) in log.Read(new(index + 1)))
            {
                cancellationToken.ThrowIfCancellationRequested();
                var batch = BatchOf(entry);
                if (batch?.TimeMs > target.TimeMs)
                {
                    isReached = true;
                    break;
                }

                (index, timeMs) = (entry.Index.Value, batch?.TimeMs ?? timeMs);
                foreach (var write in batch?.Writes ?? [])
                {
                    switch (write.Command.Operation)
                    {
                        case CreateDatabaseOperation { Name: var name } when DatabaseName.IsStaging(name):
                            created[name] = index;
                            break;
                        case LoadDatabaseOperation load when load.Name == backup.Database:
                            loads.Add(new(load.Staging, created.TryGetValue(load.Staging, out var at) ? at : null));
                            break;
                    }
                }

                if (index == target.Index)
                {
                    isReached = true;
                    break;
                }
            }
        }

        if (!isReached)
        {
            RequireEnd(log, index, timeMs, target);
        }

        return new(backup.Database, index, timeMs, loads);
    }

    /// <summary>The writes that an entry holds; null where it holds none.</summary>
    public static WriteBatch? BatchOf(Raft.Entry entry) =>
        entry.Kind == Raft.EntryKind.Command ? LogCommandCodec.Decode(entry.Data.Span) as WriteBatch : null;

    /// <summary>The archive has nothing behind an entry: that must be the point.</summary>
    private static void RequireEnd(ArchivedLog log, long index, long timeMs, PointInTimeTarget target)
    {
        if (log.FirstBehind(new(index + 1)) is { } first)
        {
            throw new PointInTimeException(string.Create(
                CultureInfo.InvariantCulture,
                $"The archive lacks the entries {index + 1} to {first.Previous}. Add the archives of other nodes, or take a backup that was made at entry {first.Previous} or later. What is there reaches {PointInTime.Describe(index, timeMs)}, which can be had."));
        }

        if (target.Index is not null || target.TimeMs > timeMs)
        {
            throw new PointInTimeException(string.Create(
                CultureInfo.InvariantCulture,
                $"The archive ends at {PointInTime.Describe(index, timeMs)}, and {target} is behind that: what came after it is not known here. Ask for that entry, add the archives of other nodes, or wait until the pieces behind it are closed."));
        }
    }
}

/// <summary>A file that became a database's content.</summary>
/// <param name="Staging">The staging database by which it came.</param>
/// <param name="CreatedAt">The entry that made that database; null where it was there when the backup was made.</param>
internal readonly record struct ArchivedLoad(string Staging, long? CreatedAt);
