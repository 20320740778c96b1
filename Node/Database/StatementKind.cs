namespace DistDb.Node.Database;

/// <summary>What a statement may change.</summary>
internal enum StatementKind
{
    /// <summary>Nothing, <c>EXPLAIN</c> of anything included.</summary>
    Read,

    /// <summary>Rows of users' tables.</summary>
    RowWrite,

    /// <summary>The schema or its statistics; also a schema statement that finds nothing to do.</summary>
    Schema,
}
