namespace DistDb.Tests.Soak;

/// <summary>Mistakes of clients that look like the cluster's: a run that does not find them proves nothing.</summary>
internal enum SoakSabotage
{
    None,

    /// <summary>Reads that count as strong are local, and so may be stale.</summary>
    LocalReads,

    /// <summary>Writes of unknown fate are sent again without an id, and so may be done twice.</summary>
    RetriesWithoutId,

    /// <summary>Some writes are counted as acknowledged though they were never sent.</summary>
    InventedWrites,

    /// <summary>Databases are counted as dropped though nobody was asked to.</summary>
    SkippedDrops,
}
