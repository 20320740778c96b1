namespace DistDb.Tests.Soak;

/// <summary>What a run must not find.</summary>
internal enum FindingKind
{
    /// <summary>An acknowledged write is not there.</summary>
    Lost,

    /// <summary>A write was applied twice.</summary>
    Doubled,

    /// <summary>A write that was certainly not done is there.</summary>
    Phantom,

    /// <summary>No order of the operations explains their results: a stale strong read, most often.</summary>
    NotLinearizable,

    /// <summary>The checker gave up.</summary>
    Undecided,

    /// <summary>A local read went back in time, missed its client's own write, or showed what was never committed.</summary>
    LocalRead,

    /// <summary>The sum of a bank's balances changed.</summary>
    MoneyMade,

    /// <summary>Replicas differ, or do not converge.</summary>
    Divergent,

    /// <summary>A database that was dropped is there, or one that was not is not.</summary>
    WrongDatabases,

    /// <summary>An answer that nothing here should get, or a node that ended by itself.</summary>
    Unexpected,
}
