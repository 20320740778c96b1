using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>
/// The rest of a query's rows, read as they are wanted, all as of one commit. It holds one of the pool's few connections, and keeps the
/// write-ahead log from being reused: dispose it soon, and when <see cref="Stopped"/> fires at once. Used by one thread at a time.
/// </summary>
public sealed class RowCursor : IDisposable
{
    /// <summary>Bytes of values that are read before they are given out: large enough that handing over costs nothing beside reading.</summary>
    private const int BatchBytes = 64 * 1024;

    private readonly DatabaseReader _reader;
    private readonly PreparedStatement _statement;
    private readonly RowCollector _rows;
    private CancellationTokenSource? _stop;
    private CancellationToken _client;
    private CancellationToken _closing;
    private Func<Failure>? _closingFailure;
    private Action? _giveBack;

    internal RowCursor(DatabaseReader reader, PreparedStatement statement, RowCollector rows)
    {
        _reader = reader;
        _statement = statement;
        _rows = rows;
    }

    /// <summary>
    /// Fires when the time limit is over, when the client has gone, and when the database's file is about to be dropped or replaced: whoever waits for
    /// anything while holding this cursor waits no longer.
    /// </summary>
    public CancellationToken Stopped => _stop!.Token;

    /// <summary>Reads on, on the calling thread.</summary>
    /// <exception cref="OperationCanceledException">The client has gone.</exception>
    /// <exception cref="StorageFailedException">The file cannot be read.</exception>
    public RowBatch Next()
    {
        ObjectDisposedException.ThrowIf(_giveBack is null, this);
        var isLast = false;
        var failure = Stopped.IsCancellationRequested ? StopFailure() : _reader.Fetch(_statement, _rows, BatchBytes, out isLast);
        return failure is null ? new(_rows.Take(), isLast)
            : new([], IsLast: true, failure.Code == FailureCode.Timeout ? StopFailure() : failure);
    }

    /// <summary>Ends the query, and gives the connection back.</summary>
    public void Dispose()
    {
        if (_giveBack is { } giveBack)
        {
            _giveBack = null;
            _reader.End(_statement);
            giveBack();
            _stop!.Dispose();
        }
    }

    /// <summary>The pool lends the connection, until the cursor is disposed.</summary>
    /// <param name="left">What is left of the time limit.</param>
    /// <param name="giveBack">Takes the connection back.</param>
    /// <param name="closingFailure">Tells why the pool wants it back.</param>
    /// <param name="client">The client's token.</param>
    /// <param name="closing">Fires when the pool wants all connections back.</param>
    internal void Lend(TimeSpan left, Action giveBack, Func<Failure> closingFailure, CancellationToken client, CancellationToken closing)
    {
        _client = client;
        _closing = closing;
        _closingFailure = closingFailure;
        _stop = CancellationTokenSource.CreateLinkedTokenSource(client, closing);
        _stop.CancelAfter(left);
        _reader.SetLimit(Timeout.InfiniteTimeSpan, _stop.Token);
        _giveBack = giveBack;
    }

    private Failure StopFailure()
    {
        _client.ThrowIfCancellationRequested();
        return _closing.IsCancellationRequested
            ? _closingFailure!()
            : new(FailureCode.Timeout, "The time limit was over before the client had taken all rows; ask for fewer at once (WHERE, LIMIT), or allow more time.");
    }
}
