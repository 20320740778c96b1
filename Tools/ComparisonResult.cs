using DistDb.Node.Commands;

namespace DistDb.Tools;

/// <summary>What kind of news a finding is.</summary>
internal enum FindingKind
{
    /// <summary>A table, index, view or trigger is not the same everywhere.</summary>
    Schema,

    /// <summary>A row is not the same everywhere.</summary>
    Rows,

    /// <summary>It could not be told whether something is the same everywhere.</summary>
    Undecided,
}

/// <summary>One thing that keeps the replicas from being called identical.</summary>
/// <param name="Kind">What it is about.</param>
/// <param name="Database">The database.</param>
/// <param name="Name">The table or other object; null when it is the database as a whole.</param>
/// <param name="Detail">A sentence without a full stop.</param>
internal sealed record Finding(FindingKind Kind, string Database, string? Name, string Detail);

/// <summary>The rows of a table on one replica, as far as they are shown.</summary>
/// <param name="Replica">The replica.</param>
/// <param name="Columns">The table's columns.</param>
/// <param name="Rows">The first rows.</param>
/// <param name="RowCount">How many there are in all; null when that could not be learnt.</param>
internal sealed record TableContent(Replica Replica, IReadOnlyList<string> Columns, IReadOnlyList<SqlValue[]> Rows, long? RowCount);

/// <summary>One table on all replicas that have it.</summary>
/// <param name="Database">The database.</param>
/// <param name="Table">The table.</param>
/// <param name="Contents">What each replica holds, by node.</param>
/// <param name="Finding">What is not the same; null when all is.</param>
internal sealed record TableComparison(string Database, string Table, IReadOnlyList<TableContent> Contents, Finding? Finding);

/// <summary>How a comparison ended.</summary>
/// <param name="Replicas">All replicas, those that failed too.</param>
/// <param name="Findings">What is not the same or not known.</param>
/// <param name="TableCount">How many tables were compared.</param>
/// <param name="RowCount">How many rows of each replica were found to be the same.</param>
/// <param name="IndexMin">The lowest log index at which something was read.</param>
/// <param name="IndexMax">The highest; above the lowest when writes came in meanwhile.</param>
internal sealed record ComparisonResult(
    IReadOnlyList<Replica> Replicas, IReadOnlyList<Finding> Findings, int TableCount, long RowCount, long IndexMin, long IndexMax)
{
    public IReadOnlyList<Replica> Compared => [.. Replicas.Where(replica => replica.Failure is null)];

    public bool Identical => Findings.Count == 0;

    /// <summary>Whether all replicas were compared and are the same.</summary>
    public bool GoodNews => Identical && Compared.Count == Replicas.Count;
}
