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

    /// <summary>A snapshot says that it holds more than it does.</summary>
    SnapshotIndexWrong,

    /// <summary>What follows in the log stays when a snapshot is installed, whoever's it is.</summary>
    ForeignTailKept,

    /// <summary>A log is cut behind what the state machine would still know after a crash.</summary>
    LogCutBeyondDurable,

    /// <summary>A leader changes the membership while its last change is uncommitted.</summary>
    MembershipUncommittedTwice,

    /// <summary>A leader changes the membership before it has committed anything in its term.</summary>
    LeaderSkipsOwnTermBeforeChange,

    /// <summary>A node that lost its log pretends that it is the one it had.</summary>
    VoterForgetsAndVotes,

    /// <summary>What a node confirms that may not vote is counted like the others' word.</summary>
    AbstainersCounted,

    /// <summary>What was promised with a log that is lost since is taken for the word of the one that is on record.</summary>
    LostLogsCounted,

    /// <summary>A crash between an installation's two steps leaves it at the first.</summary>
    InstallationForgottenAtCrash,
}
