using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary>Writes the answer to a query in some format, row by row. What it has written is in the response's pipe after <see cref="Commit"/> at the latest.</summary>
internal interface IRowsWriter : IDisposable
{
    string ContentType { get; }

    /// <summary>Bytes written and not given to the pipe yet.</summary>
    long PendingBytes { get; }

    /// <param name="columns">Names.</param>
    /// <param name="types">As in <see cref="RowSet.Types"/>.</param>
    void Begin(IReadOnlyList<string> columns, IReadOnlyList<string> types);

    void Write(SqlValue[] row);

    /// <param name="index">The log index that the rows reflect.</param>
    /// <param name="node">The node that answers.</param>
    /// <param name="elapsedMs">Milliseconds since the request arrived.</param>
    void End(long index, int node, double elapsedMs);

    void Commit();
}
