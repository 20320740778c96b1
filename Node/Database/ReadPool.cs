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
    private readonly Lock _watchLock = new();
    private Connection? _watch;
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

    /// <summary>
    /// From now on queries are refused as soon as the file that is at its place now is not there any more; otherwise those on connections opened
    /// later would read whatever somebody put there.
    /// </summary>
    /// <exception cref="StorageFailedException">The file cannot be opened.</exception>
    internal void Watch()
    {
        lock (_watchLock)
        {
            _watch = Connection.OpenReader(_path);

            // SQLite opens the file itself only now.
            _watch.RunInternal("SELECT 1 FROM sqlite_master");
        }
    }

    /// <summary>Waits until no query runs, closes all connections, and keeps queries waiting while <paramref name="action"/> runs.</summary>
    internal void RunWhileClosed(Action action)
    {
        var held = 0;
        try
        {
            for (; held < _options.ReaderCount; held++)
            {
                _free.Wait();
            }

            CloseIdle();
            CloseWatch();
            action();
        }
        finally
        {
            if (held > 0)
            {
                _free.Release(held);
            }
        }
    }

    /// <summary>Closes the connections; those in use as soon as their query ends.</summary>
    public void Dispose()
    {
        _disposed = true;
        CloseIdle();
        CloseWatch();
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
                // After the connection was opened, so that it has the right file.
                CheckFile();
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

    private void CheckFile()
    {
        const int Corrupt = 11;
        lock (_watchLock)
        {
            if (_watch is { HasMoved: true })
            {
                var reason = $"the file {_path} was deleted or replaced while this node was running it";
                throw new StorageFailedException($"The database cannot be read: {reason}.", Corrupt, reason);
            }
        }
    }

    private void CloseWatch()
    {
        lock (_watchLock)
        {
            _watch?.Dispose();
            _watch = null;
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
