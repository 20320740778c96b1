using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>One read-only connection. Three fences keep it from changing anything: only statements classified as reads are stepped, the
/// authorizer refuses what a read-only connection would still allow (VACUUM INTO, temporary tables, settings), and the file is opened
/// for reading.</summary>
internal sealed class DatabaseReader : IDisposable
{
    private readonly Connection _connection;
    private readonly StatementCache _statements;
    private readonly StatementRunner _runner;
    private readonly long _resultBytesMax;

    /// <exception cref="StorageFailedException">The file cannot be opened.</exception>
    public DatabaseReader(string path, DatabaseOptions options)
    {
        _connection = Connection.OpenReader(path);
        _statements = new(_connection, options.StatementCacheSize);
        _runner = new(_connection);
        _resultBytesMax = options.ResultBytesMax;
    }

    /// <exception cref="OperationCanceledException">Cancelled while it ran.</exception>
    /// <exception cref="StorageFailedException">The file cannot be read.</exception>
    public ReadOutcome Query(Statement statement, TimeSpan limit, CancellationToken cancellationToken)
    {
        if (!_statements.TryGet(statement.Sql, out var prepared, out var failure))
        {
            return new ReadOutcome.Failed(failure);
        }

        try
        {
            if (prepared.Kind != StatementKind.Read)
            {
                return new ReadOutcome.NotARead(prepared.Kind == StatementKind.Schema);
            }

            _runner.ResultBytesLeft = _resultBytesMax;
            _connection.Limit.Set(limit, cancellationToken);
            if (_runner.TryRun(prepared, statement.Parameters, collectRows: true, out var result, out failure))
            {
                // PRAGMA and EXPLAIN may have no columns when they have nothing to say.
                return new ReadOutcome.RowsRead(result.Rows ?? new([], [], []));
            }

            if (failure.Code == FailureCode.Timeout)
            {
                cancellationToken.ThrowIfCancellationRequested();
            }

            return new ReadOutcome.Failed(failure);
        }
        finally
        {
            _connection.Limit.Clear();
            prepared.Release();
        }
    }

    public void Dispose()
    {
        _statements.Dispose();
        _connection.Dispose();
    }
}
