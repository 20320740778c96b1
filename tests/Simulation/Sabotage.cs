namespace DistDb.Tests.Simulation;

/// <summary>A promise that the world around the core breaks on purpose, to show that the checks notice.</summary>
internal enum Sabotage
{
    None,

    /// <summary>Promises leave before what they promise is on disk.</summary>
    MessagesBeforeWrite,

    /// <summary>Votes alone leave before they are on disk.</summary>
    VotesBeforeWrite,

    /// <summary>A crash loses term and vote.</summary>
    HardStateLostAtCrash,

    /// <summary>A crash loses entries that were synced.</summary>
    SyncedEntriesLostAtCrash,

    /// <summary>The network changes the terms of some messages.</summary>
    TermsAltered,

    /// <summary>Entries are applied as soon as they are on disk.</summary>
    UncommittedApplied,

    /// <summary>A restarted node takes all that is in its log for committed.</summary>
    RestartCommitsAll,

    /// <summary>A leader answers reads without asking whether it still leads.</summary>
    ReadsUnconfirmed,
}
