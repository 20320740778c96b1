using System.Collections.Concurrent;
using System.Diagnostics;
using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>
/// Read-only connections of one database file, for queries beside the writer. Each query sees the content as of one commit.
/// Any thread may use it. Connections are opened when first needed and kept.
/// </summary>
public sealed class ReadPool : IDisposable
{
    private readonly string _path;
    private readonly DatabaseOptions _options;
    private readonly SemaphoreSlim _free;
    private readonly ConcurrentBag<DatabaseReader> _idle = [];
    private volatile bool _disposed;

    /// <param name="path">A file that a <see cref="DatabaseWriter"/> has opened before.</param>
    /// <param name="options">Settings.</param>
    public ReadPool(string path, DatabaseOptions options)
    {
        _path = path;
        _options = options;
        _free = new(options.ReaderCount);
    }

    /// <summary>
    /// Runs a query on the calling thread once a connection is free, or finds out that it is no query.
    /// </summary>
    /// <param name="statement">Any one statement.</param>
    /// <param name="limit">Time for waiting and reading together, or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <param name="cancellationToken">Stops the waiting and also a query that is running.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="StorageFailedException">The file cannot be read.</exception>
    public async Task<ReadOutcome> QueryAsync(Statement statement, TimeSpan limit, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        var started = Stopwatch.GetTimestamp();
        if (!await _free.WaitAsync(limit, cancellationToken).ConfigureAwait(false))
        {
            return new ReadOutcome.Failed(new(
                FailureCode.Overloaded,
                $"All {_options.ReaderCount} readers of this database were busy for the whole time limit; try again, or at another node."));
        }

        var left = limit;
        if (limit != Timeout.InfiniteTimeSpan)
        {
            // Never below zero: one millisecond below it stands for no limit at all.
            left -= Stopwatch.GetElapsedTime(started);
            left = left > TimeSpan.Zero ? left : TimeSpan.Zero;
        }

        return Use(reader => reader.Query(statement, left, cancellationToken));
    }

    /// <summary>Closes the connections; those in use as soon as their query ends.</summary>
    public void Dispose()
    {
        _disposed = true;
        CloseIdle();
    }

    private T Use<T>(Func<DatabaseReader, T> use)
    {
        try
        {
            if (!_idle.TryTake(out var reader))
            {
                reader = new(_path, _options);
            }

            try
            {
                return use(reader);
            }
            finally
            {
                _idle.Add(reader);
                if (_disposed)
                {
                    CloseIdle();
                }
            }
        }
        finally
        {
            _free.Release();
        }
    }

    private void CloseIdle()
    {
        while (_idle.TryTake(out var reader))
        {
            reader.Dispose();
        }
    }
}
