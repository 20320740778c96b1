namespace DistDb.Node.Backups;

/// <summary>Backups that a node makes by itself.</summary>
/// <param name="Folder">Where they go.</param>
/// <param name="Interval">How often, from a second to a year.</param>
/// <param name="KeptCount">How many are kept, from 1.</param>
public sealed record BackupScheduleOptions(string Folder, TimeSpan Interval, int KeptCount);
