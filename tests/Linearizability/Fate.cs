namespace DistDb.Tests.Linearizability;

/// <summary>What a client knows of an operation.</summary>
internal enum Fate
{
    /// <summary>It was done, between its invocation and its return, and its result is known.</summary>
    Done,

    /// <summary>It was certainly not done, and never will be.</summary>
    NotDone,

    /// <summary>It may have been done at any time after its invocation, may still be, or never.</summary>
    Unknown,
}
