using DistDb.Node.Raft;

namespace DistDb.Node.Archive;

/// <summary>A committed entry of the log.</summary>
/// <param name="Entry">The entry.</param>
/// <param name="Overruled">Where a majority executed it otherwise than its leader recorded: a digest of what they observed; null for as recorded.</param>
internal readonly record struct ArchivedEntry(Entry Entry, ulong? Overruled);
