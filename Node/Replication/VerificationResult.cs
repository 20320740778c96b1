using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>What a verification found: whether all replicas held the same at one log entry.</summary>
/// <param name="Index">The entry.</param>
/// <param name="At">When it was finished here.</param>
/// <param name="Duration">How long it took, from the entry's application here.</param>
/// <param name="Repairs">Whether nodes that are not healthy replace their content.</param>
/// <param name="Outcome">The result as a whole.</param>
/// <param name="Nodes">Every member of the cluster, by id.</param>
/// <param name="Differences">Tables that are not the same everywhere; no more than <see cref="DifferencesMax"/>.</param>
public sealed record VerificationResult(
    LogIndex Index,
    DateTimeOffset At,
    TimeSpan Duration,
    bool Repairs,
    VerificationOutcome Outcome,
    IReadOnlyList<NodeVerdict> Nodes,
    IReadOnlyList<TableDifference> Differences)
{
    /// <summary>Tables that are named; beyond that an operator looks at the nodes, not at the tables.</summary>
    public const int DifferencesMax = 20;

    /// <summary>Keys of a table that are named.</summary>
    public const int KeysMax = 10;
}

/// <summary>What a verification says as a whole.</summary>
public enum VerificationOutcome
{
    /// <summary>All nodes hold the same.</summary>
    Equal,

    /// <summary>Those that reported hold the same, and are a majority; others did not report.</summary>
    Incomplete,

    /// <summary>A majority holds the same, and others do not.</summary>
    Differs,

    /// <summary>No majority of voters holds the same, so that nobody can say which is right.</summary>
    NoMajority,
}

/// <summary>How one node came out of a verification.</summary>
/// <param name="Node">The node.</param>
/// <param name="Health">In a word.</param>
/// <param name="Damage">What SQLite found wrong with its file, or null.</param>
public sealed record NodeVerdict(NodeId Node, NodeHealth Health, string? Damage);

/// <summary>How a node came out of a verification.</summary>
public enum NodeHealth
{
    /// <summary>It holds what the majority holds.</summary>
    Healthy,

    /// <summary>It holds something else.</summary>
    Differs,

    /// <summary>SQLite finds its file damaged.</summary>
    Damaged,

    /// <summary>It did not report in time.</summary>
    Silent,

    /// <summary>There is no majority to compare it with.</summary>
    Undecided,
}

/// <summary>A table that is not the same on all nodes.</summary>
/// <param name="Database">Its database.</param>
/// <param name="Table">The table; <c>sqlite_schema</c> for what is defined.</param>
/// <param name="Nodes">Those that hold something else than the majority, or than the first node where there is none.</param>
/// <param name="Keys">The first differing rows, such as <c>id = 7</c>; empty where they were not found out.</param>
/// <param name="Detail">In what way it differs.</param>
public sealed record TableDifference(
    string Database, string Table, IReadOnlyList<NodeId> Nodes, IReadOnlyList<string> Keys, string Detail);

/// <summary>What became of a request to verify.</summary>
public abstract record VerifyAnswer
{
    /// <summary>It was done.</summary>
    public sealed record Done(VerificationResult Result) : VerifyAnswer;

    /// <summary>It was not done.</summary>
    public sealed record NotDone(Commands.Failure Failure) : VerifyAnswer;
}
