using DistDb.Node.Commands;
using DistDb.Node.Database;

namespace DistDb.Node.Replication;

/// <summary>The rest of a query's rows, as long as this node's content is to be trusted. Dispose it soon, and at once when <see cref="Stopped"/> fires.</summary>
public sealed class QueryRows : IDisposable
{
    private readonly RowCursor _rows;
    private readonly DatabaseLease _lease;
    private readonly Func<DatabaseLease, Func<RowBatch>, RowBatch?> _read;
    private readonly Func<Failure> _closed;

    /// <param name="rows">The rows.</param>
    /// <param name="lease">The database that they come from.</param>
    /// <param name="read">Reads, and gives null where the content turned out to be bad.</param>
    /// <param name="closed">What clients are told then.</param>
    internal QueryRows(RowCursor rows, DatabaseLease lease, Func<DatabaseLease, Func<RowBatch>, RowBatch?> read, Func<Failure> closed)
    {
        _rows = rows;
        _lease = lease;
        _read = read;
        _closed = closed;
    }

    /// <inheritdoc cref="RowCursor.Stopped"/>
    public CancellationToken Stopped => _rows.Stopped;

    /// <summary>Reads on, on the calling thread.</summary>
    /// <exception cref="OperationCanceledException">The client has gone.</exception>
    /// <exception cref="StorageFailedException">The file cannot be read.</exception>
    public RowBatch Next() => _read(_lease, _rows.Next) ?? new([], IsLast: true, _closed());

    public void Dispose()
    {
        _rows.Dispose();
        _lease.Dispose();
    }
}
