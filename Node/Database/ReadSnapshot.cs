using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>
/// A reading transaction: all that is read through it is as of one commit, however long ago that is. It has a connection of its own, and keeps the write-ahead log from being reused, so whoever
/// has one ends it soon. Used by one thread at a time, but for <see cref="Close"/>.
/// </summary>
public sealed class ReadSnapshot : IDisposable
{
    private readonly Lock _lock = new();
    private readonly DatabaseReader _reader;
    private readonly Action<ReadSnapshot> _ended;
    private Failure? _closed;
    private bool _disposed;

    /// <exception cref="StorageFailedException">The file cannot be opened.</exception>
    internal ReadSnapshot(string path, DatabaseOptions options, Action<ReadSnapshot> ended)
    {
        _reader = new(path, options);
        _ended = ended;
        try
        {
            Index = _reader.BeginTransaction();
        }
        catch
        {
            _reader.Dispose();
            throw;
        }
    }

    /// <summary>The entry that the database's file was at.</summary>
    public long Index { get; }

    /// <summary>Reads all rows of a query.</summary>
    /// <param name="statement">Any one statement; one that writes is not executed.</param>
    /// <param name="limits">What it may take.</param>
    /// <param name="cancellationToken">Stops it.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="StorageFailedException">The file cannot be read.</exception>
    public ReadOutcome Query(Statement statement, ReadLimits limits, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            if (_closed is { } reason)
            {
                return new ReadOutcome.Failed(reason);
            }

            ObjectDisposedException.ThrowIf(_disposed, this);
            ReadOutcome outcome;
            using (cancellationToken.UnsafeRegister(static r => ((DatabaseReader)r!).Interrupt(), _reader))
            {
                outcome = _reader.Begin(statement, limits with { RowsMax = limits.RowsMax ?? long.MaxValue }, limits.Time, cancellationToken);
            }

            cancellationToken.ThrowIfCancellationRequested();
            return outcome;
        }
    }

    /// <summary>What a statement takes and returns, without executing it.</summary>
    /// <exception cref="StorageFailedException">The file cannot be read.</exception>
    public StatementDescription? Describe(string sql, out Failure? failure)
    {
        lock (_lock)
        {
            failure = _closed;
            return failure is null ? _reader.Describe(sql, out failure) : null;
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            _reader.Dispose();
        }

        _ended(this);
    }

    /// <summary>The file is about to go: ends what is read, and tells later readers why. Any thread may call it.</summary>
    internal void Close(Failure reason)
    {
        _reader.Interrupt();
        lock (_lock)
        {
            if (!_disposed)
            {
                _closed = reason;
                _disposed = true;
                _reader.Dispose();
            }
        }
    }
}
