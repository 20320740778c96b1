namespace DistDb.Data;

/// <summary>What a transaction may do, and when it waits.</summary>
public enum DistDbTransactionMode
{
    /// <summary>It waits at once for its turn to write; nobody else writes to its database until it ends.</summary>
    Immediate = 0,

    /// <summary>It only reads until its first write, and waits for its turn then.</summary>
    Deferred = 1,

    /// <summary>It sees one state of the database, never writes, and holds nobody up.</summary>
    ReadOnly = 2,
}
