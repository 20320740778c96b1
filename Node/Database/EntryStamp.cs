namespace DistDb.Node.Database;

/// <summary>What a log entry lends to the statements executed for it: its place in the log, its time and its chance.</summary>
/// <param name="Index">Position in the log, from 1.</param>
/// <param name="TimeMs">What <c>'now'</c> means: milliseconds since 1970 UTC, not before then and not after the year 9999.</param>
/// <param name="Seed">Source of <c>random()</c> and <c>randomblob()</c>.</param>
/// <param name="ChangesBytesMax">How much of the databases' changes is kept for those who follow them, in bytes for each database, 0 for none; null for an entry that has no say in it, whose changes are not kept.</param>
public readonly record struct EntryStamp(long Index, long TimeMs, ulong Seed, long? ChangesBytesMax = null);
