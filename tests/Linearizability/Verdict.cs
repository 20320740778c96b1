namespace DistDb.Tests.Linearizability;

/// <summary>What the checker found.</summary>
internal enum Verdict
{
    /// <summary>There is an order of the operations that explains all results.</summary>
    Linearizable,

    /// <summary>There is none.</summary>
    Violated,

    /// <summary>The search was given up. Nothing is known.</summary>
    Undecided,
}
