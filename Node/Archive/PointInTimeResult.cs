namespace DistDb.Node.Archive;

/// <summary>A database as it was.</summary>
/// <param name="Database">Its name.</param>
/// <param name="Index">The log entry that it is at.</param>
/// <param name="TimeMs">That entry's time, in milliseconds since 1970 UTC.</param>
/// <param name="BackupIndex">The entry of the backup that it was made of.</param>
/// <param name="EntryCount">How many entries behind that changed it.</param>
/// <param name="ForeignKeys">Whether foreign keys are enforced in it.</param>
/// <param name="IsOtherSqlite">Whether some of the entries were executed by another SQLite than this process has, so that what nobody observed of them may be different here.</param>
public sealed record PointInTimeResult(string Database, long Index, long TimeMs, long BackupIndex, long EntryCount, bool ForeignKeys, bool IsOtherSqlite)
{
    /// <summary>The entry and its time, for people.</summary>
    public string Point => PointInTime.Describe(Index, TimeMs);
}

/// <summary>How far it is.</summary>
/// <param name="Index">The entry it is at.</param>
/// <param name="From">The backup's.</param>
/// <param name="To">The one it is to reach.</param>
public readonly record struct PointInTimeProgress(long Index, long From, long To);
