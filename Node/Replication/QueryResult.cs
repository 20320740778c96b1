using DistDb.Node.Commands;
using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>What became of a client's query.</summary>
public abstract record QueryResult
{
    /// <summary>It was read here.</summary>
    /// <param name="Index">An index whose effects the rows surely show; they may show later ones too.</param>
    /// <param name="Rows">All rows.</param>
    public sealed record Done(LogIndex Index, RowSet Rows) : QueryResult;

    /// <summary>It is being read here, and has more rows than are gathered.</summary>
    /// <param name="Index">An index whose effects the rows surely show; they may show later ones too.</param>
    /// <param name="First">The first rows, and what the columns are.</param>
    /// <param name="Rest">The others; dispose it.</param>
    public sealed record Begun(LogIndex Index, RowSet First, QueryRows Rest) : QueryResult;

    /// <summary>It is not a read but a write: nothing was done yet.</summary>
    /// <param name="IsSchema">It would change the schema.</param>
    public sealed record NotARead(bool IsSchema) : QueryResult;

    /// <summary>It failed.</summary>
    /// <param name="Failure">What the client is told.</param>
    public sealed record NotDone(Failure Failure) : QueryResult;
}
