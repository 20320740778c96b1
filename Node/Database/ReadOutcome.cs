using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>What became of a client's query.</summary>
public abstract record ReadOutcome
{
    /// <summary>It was a read, and these are all its rows.</summary>
    public sealed record RowsRead(RowSet Rows) : ReadOutcome;

    /// <summary>It was a read with more rows than are gathered.</summary>
    /// <param name="First">Its first rows, and what its columns are.</param>
    /// <param name="Rest">The others; dispose it.</param>
    public sealed record RowsBegun(RowSet First, RowCursor Rest) : ReadOutcome;

    /// <summary>It was not executed, because it writes: send it to the leader.</summary>
    /// <param name="IsSchema">True where it would change the schema, which takes the master's authority.</param>
    public sealed record NotARead(bool IsSchema) : ReadOutcome;

    /// <summary>It failed.</summary>
    /// <param name="Failure">What its sender is told.</param>
    public sealed record Failed(Failure Failure) : ReadOutcome;
}
