using System.Collections.Concurrent;
using System.Diagnostics;
using DistDb.Node.Commands;
using DistDb.Node.Database.Changes;

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
    private readonly CancellationTokenSource _dropped = new();
    private Connection? _watch;
    private volatile CancellationTokenSource _closing = new();
    private volatile bool _disposed;

    // Also its lock.
    private readonly HashSet<ReadSnapshot> _snapshots = [];
    private bool _isClosed;

    /// <param name="path">A file that a <see cref="DatabaseWriter"/> has opened before.</param>
    /// <param name="options">Settings.</param>
    public ReadPool(string path, DatabaseOptions options)
    {
        _path = path;
        _options = options;
        _free = new(options.ReaderCount);
    }

    /// <summary>What whoever reads a database is told that is dropped meanwhile.</summary>
    public static Failure Dropped { get; } = new(
        FailureCode.NoSuchDatabase, "The database was dropped while it was read. If there is a new one of that name, send the query again.");

    /// <summary>
    /// Runs a query on the calling thread once a connection is free, or finds out that it is no query. A result of more than a few hundred
    /// kilobytes is only begun; whoever takes the rest keeps the connection meanwhile.
    /// </summary>
    /// <param name="statement">Any one statement.</param>
    /// <param name="limits">What it may take.</param>
    /// <param name="cancellationToken">Stops the waiting and also a query that is running.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The pool is closed, which may also happen while the query waits for its turn.</exception>
    /// <exception cref="StorageFailedException">The file cannot be read.</exception>
    public async Task<ReadOutcome> QueryAsync(Statement statement, ReadLimits limits, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _dropped.Token);
        try
        {
            return await QueryAsync(statement, limits, stop.Token, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new ReadOutcome.Failed(Dropped);
        }
    }

    /// <summary>Reads what follows a position in the database's changes, once a connection is free.</summary>
    /// <inheritdoc cref="DatabaseReader.ReadChanges" path="/param"/>
    /// <param name="cancellationToken">Stops the waiting.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="ObjectDisposedException">The pool is closed.</exception>
    /// <exception cref="StorageFailedException">The file cannot be read.</exception>
    public async Task<ChangeReading> ReadChangesAsync(ChangePosition after, long bytesMax, CancellationToken cancellationToken)
    {
        await _free.WaitAsync(cancellationToken).ConfigureAwait(false);
        DatabaseReader? reader = null;
        try
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            reader = _idle.TryTake(out var idle) ? idle : new(_path, _options);
            CheckFile();
            return reader.ReadChanges(after, bytesMax);
        }
        finally
        {
            GiveBack(reader);
        }
    }

    /// <summary>Begins a reading transaction, whose connection is none of those that queries wait for.</summary>
    /// <returns>Null, and why, where there are too many.</returns>
    /// <exception cref="ObjectDisposedException">The pool is closed.</exception>
    /// <exception cref="StorageFailedException">The file cannot be read.</exception>
    public ReadSnapshot? BeginSnapshot(out Failure? failure)
    {
        lock (_snapshots)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            failure = _isClosed ? ClosingFailure()
                : _snapshots.Count >= DatabaseOptions.SnapshotsMax ? new(
                    FailureCode.Overloaded, $"{DatabaseOptions.SnapshotsMax} reading transactions are open in this database at this node, which is the most there may be. Nothing was done; come back in a moment, or ask another node.")
                : null;
            if (failure is not null)
            {
                return null;
            }

            // It is ended where the file is, so that it need not be looked at again.
            CheckFile();
            var snapshot = new ReadSnapshot(_path, _options, Forget);
            _snapshots.Add(snapshot);
            return snapshot;
        }
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

    /// <summary>
    /// Waits until no query runs, closes all connections, and keeps queries waiting while <paramref name="action"/> runs. Those whose rows are
    /// being taken by a client are ended, for they last as long as the client likes.
    /// </summary>
    internal void RunWhileClosed(Action action)
    {
        _closing.Cancel();
        var held = 0;
        try
        {
            CloseSnapshots(isForNow: true);
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
            _closing = new();
            lock (_snapshots)
            {
                _isClosed = false;
            }

            if (held > 0)
            {
                _free.Release(held);
            }
        }
    }

    /// <summary>
    /// The same for a database that is dropped, whose rows nobody will want any more: queries that run or wait for their turn are ended with
    /// <see cref="Dropped"/>, so that nothing waits for them.
    /// </summary>
    internal void RunOnceEnded(Action action)
    {
        // Not on this thread, which would go on with what the queries' senders do then.
        _ = _dropped.CancelAsync();
        RunWhileClosed(action);
    }

    /// <summary>Closes the connections; those in use as soon as their query ends.</summary>
    public void Dispose()
    {
        _disposed = true;
        CloseSnapshots(isForNow: false);
        CloseIdle();
        CloseWatch();
    }

    /// <summary>What is left of a time limit. Never below zero: one millisecond below it stands for no limit at all.</summary>
    private static TimeSpan Left(TimeSpan limit, long started)
    {
        if (limit == Timeout.InfiniteTimeSpan)
        {
            return limit;
        }

        var left = limit - Stopwatch.GetElapsedTime(started);
        return left > TimeSpan.Zero ? left : TimeSpan.Zero;
    }

    /// <param name="statement">Any one statement.</param>
    /// <param name="limits">What it may take.</param>
    /// <param name="stop">Fires when the client has gone, and when the database is dropped.</param>
    /// <param name="client">Fires when the client has gone.</param>
    private async Task<ReadOutcome> QueryAsync(Statement statement, ReadLimits limits, CancellationToken stop, CancellationToken client)
    {
        var started = Stopwatch.GetTimestamp();
        if (!await _free.WaitAsync(limits.Time, stop).ConfigureAwait(false))
        {
            return new ReadOutcome.Failed(new(
                FailureCode.Overloaded,
                $"All {_options.ReaderCount} readers of this database were busy for the whole time limit (--readers); try again, or at another node."));
        }

        DatabaseReader? reader = null;
        var isLent = false;
        try
        {
            // While it waited for its turn.
            ObjectDisposedException.ThrowIf(_disposed, this);
            reader = _idle.TryTake(out var idle) ? idle : new(_path, _options);

            // After the connection was opened, so that it has the right file.
            CheckFile();
            ReadOutcome outcome;
            using (stop.UnsafeRegister(static r => ((DatabaseReader)r!).Interrupt(), reader))
            {
                outcome = reader.Begin(statement, limits, Left(limits.Time, started), stop);
            }

            switch (outcome)
            {
                case ReadOutcome.RowsBegun { Rest: var rest }:
                    rest.Lend(Left(limits.Time, started), () => GiveBack(reader), ClosingFailure, client, _closing.Token);
                    isLent = true;
                    break;
                case ReadOutcome.Failed { Failure.Code: FailureCode.Timeout }:
                    stop.ThrowIfCancellationRequested();
                    break;
            }

            return outcome;
        }
        finally
        {
            if (!isLent)
            {
                GiveBack(reader);
            }
        }
    }

    private void CloseSnapshots(bool isForNow)
    {
        List<ReadSnapshot> open;
        lock (_snapshots)
        {
            _isClosed = isForNow;
            open = [.. _snapshots];
            _snapshots.Clear();
        }

        foreach (var snapshot in open)
        {
            snapshot.Close(new(
                FailureCode.TransactionLost,
                "The database was dropped, replaced or closed while a transaction was reading it. The transaction is over; it had written nothing. Begin it again."));
        }
    }

    private void Forget(ReadSnapshot snapshot)
    {
        lock (_snapshots)
        {
            _snapshots.Remove(snapshot);
        }
    }

    private Failure ClosingFailure() => _dropped.IsCancellationRequested
        ? Dropped
        : new(FailureCode.Overloaded, "The database's file was replaced by a newer copy while the query ran. Send it again.");

    /// <param name="reader">Null where none could be opened.</param>
    private void GiveBack(DatabaseReader? reader)
    {
        if (reader is not null)
        {
            _idle.Add(reader);
            if (_disposed)
            {
                CloseIdle();
            }
        }

        _free.Release();
    }

    private void CheckFile()
    {
        lock (_watchLock)
        {
            if (_watch is { HasMoved: true })
            {
                var reason = $"the file {_path} was deleted or replaced while this node was running it";
                throw new StorageFailedException($"The database cannot be read: {reason}.", SqliteErrors.Corrupt, reason);
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
