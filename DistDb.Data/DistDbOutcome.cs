namespace DistDb.Data;

/// <summary>What is known of what was asked for when it ended with an error.</summary>
public enum DistDbOutcome
{
    /// <summary>Nothing of it was done, and nothing will be.</summary>
    NotDone = 0,

    /// <summary>It was done as a whole or not at all, and may still be done; nobody has said which.</summary>
    Unknown = 1,
}
