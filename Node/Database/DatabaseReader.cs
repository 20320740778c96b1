using DistDb.Node.Commands;
using DistDb.Node.Database.Changes;
using DistDb.Node.Database.Native;

namespace DistDb.Node.Database;

/// <summary>One read-only connection. Three fences keep it from changing anything: only statements classified as reads are stepped, the
/// authorizer refuses what a read-only connection would still allow (VACUUM INTO, temporary tables, settings), and the file is opened
/// for reading.</summary>
internal sealed class DatabaseReader : IDisposable
{
    /// <summary>
    /// Rows of so many bytes are gathered before the first is given out: nearly all results are smaller, give the connection back at once,
    /// and are either whole or a plain failure.
    /// </summary>
    private const int GatheredBytesMax = 256 * 1024;

    private readonly Connection _connection;
    private readonly StatementCache _statements;
    private readonly StatementRunner _runner;
    private readonly long _resultBytesMax;
    private InternalStatement? _readChangesState;
    private InternalStatement? _readChanges;

    /// <exception cref="StorageFailedException">The file cannot be opened.</exception>
    public DatabaseReader(string path, DatabaseOptions options)
    {
        _connection = Connection.OpenReader(path);
        _statements = new(_connection, options.StatementCacheSize);
        _runner = new(_connection);
        _resultBytesMax = options.ResultBytesMax;
    }

    /// <summary>
    /// Begins a query, and ends it as well where its rows are few or something is wrong with it. Only after
    /// <see cref="ReadOutcome.RowsBegun"/> is the connection still in use, until <see cref="End"/>.
    /// </summary>
    /// <param name="statement">Any one statement.</param>
    /// <param name="limits">Its limits.</param>
    /// <param name="left">What is left of its time.</param>
    /// <param name="cancellationToken">Stops it, as if the time were over.</param>
    /// <exception cref="StorageFailedException">The file cannot be read.</exception>
    public ReadOutcome Begin(Statement statement, ReadLimits limits, TimeSpan left, CancellationToken cancellationToken)
    {
        if (!_statements.TryGet(statement.Sql, out var prepared, out var failure))
        {
            return new ReadOutcome.Failed(failure);
        }

        var isInUse = false;
        try
        {
            if (prepared.Kind != StatementKind.Read)
            {
                return new ReadOutcome.NotARead(prepared.Kind == StatementKind.Schema);
            }

            SetLimit(left, cancellationToken);
            var outcome = BeginRead(prepared, statement.Parameters, limits);
            isInUse = outcome is ReadOutcome.RowsBegun;
            return outcome;
        }
        finally
        {
            if (!isInUse)
            {
                End(prepared);
            }
        }
    }

    /// <summary>Reads further rows of the query that is under way, of about so many bytes.</summary>
    /// <returns>Why it failed, or null.</returns>
    /// <exception cref="StorageFailedException">The file cannot be read.</exception>
    public Failure? Fetch(PreparedStatement statement, RowCollector rows, long bytes, out bool isDone)
    {
        RowCollector? collector = rows;
        Failure? tooLarge = null;
        var failure = _runner.Fetch(statement, ref collector, all => (tooLarge = RowFailure(all)) is not null || all.Bytes >= bytes, out isDone);
        return failure ?? tooLarge;
    }

    /// <summary>
    /// Stops the query that is under way, if there is one. Any thread may call it until the connection is closed. The limit alone is looked at
    /// between SQLite's instructions, and one that counts a large table or checks the file takes long.
    /// </summary>
    public void Interrupt() => _connection.Interrupt();

    /// <summary>Limits the query that is under way, from now on.</summary>
    public void SetLimit(TimeSpan left, CancellationToken cancellationToken) => _connection.Limit.Set(left, cancellationToken);

    /// <summary>Ends the query that is under way.</summary>
    public void End(PreparedStatement statement)
    {
        _connection.Limit.Clear();
        statement.Release();
    }

    /// <summary>What a statement takes and returns; null, and why, where it cannot be prepared.</summary>
    /// <exception cref="StorageFailedException">The file cannot be read.</exception>
    public StatementDescription? Describe(string sql, out Failure? failure)
    {
        if (!_statements.TryGet(sql, out var prepared, out failure))
        {
            return null;
        }

        try
        {
            return new(
                [.. prepared.ParameterNames],
                [.. prepared.Columns.Select(c => (c.Name, c.Declared))],
                Sqlite3.sqlite3_stmt_isexplain(prepared.Handle) != 0,
                prepared.Kind == StatementKind.Read);
        }
        finally
        {
            prepared.Release();
        }
    }

    /// <summary>From now on all that is read is as of one commit.</summary>
    /// <returns>The entry that the file is at.</returns>
    /// <exception cref="StorageFailedException">The file cannot be read.</exception>
    public long BeginTransaction()
    {
        _connection.RunInternal("BEGIN");
        using var read = _connection.CreateInternal("SELECT applied_index FROM _distdb_state");
        _ = read.Step();
        return read.Integer(0);
    }

    /// <summary>What follows a position in the database's changes.</summary>
    /// <param name="after">The position.</param>
    /// <param name="bytesMax">No further piece once there are so many bytes.</param>
    /// <exception cref="StorageFailedException">The file cannot be read.</exception>
    public ChangeReading ReadChanges(ChangePosition after, long bytesMax)
    {
        _readChangesState ??= _connection.CreateInternal("SELECT floor, applied_index FROM _distdb_changes_state, _distdb_state");
        _readChanges ??= _connection.CreateInternal("SELECT id, is_last, time_ms, changes FROM _distdb_changes WHERE id > ?1 ORDER BY id");
        _connection.RunInternal("BEGIN");
        try
        {
            _ = _readChangesState.Step();
            var isOff = _readChangesState.IsNull(0) || _readChangesState.Integer(0) < 0;

            // Where nothing is kept, nothing is missing as long as nothing was written.
            var floor = _readChangesState.Integer(isOff ? 1 : 0);
            _readChangesState.Reset();
            if (floor > after.LastNotNeeded)
            {
                return new([], floor, isOff);
            }

            List<ChangePiece> pieces = [];
            long bytes = 0;
            _readChanges.Bind(1, after.Key);
            while (bytes < bytesMax && _readChanges.Step())
            {
                var (index, number) = ChangePosition.Split(_readChanges.Integer(0));
                ChangePiece piece = new(
                    new(index, _readChanges.Integer(1) == 0 ? number : null), number, _readChanges.Integer(2), _readChanges.Blob(3));
                pieces.Add(piece);
                bytes += piece.Bytes.Length;
            }

            return new(pieces, null, isOff);
        }
        finally
        {
            _readChanges.Reset();
            _connection.RunInternal("COMMIT");
        }
    }

    public void Dispose()
    {
        _readChangesState?.Dispose();
        _readChanges?.Dispose();
        _statements.Dispose();
        _connection.Dispose();
    }

    private ReadOutcome BeginRead(PreparedStatement statement, StatementParameters parameters, ReadLimits limits)
    {
        RowCollector? rows = null;
        Failure? exceeded = null;
        var failure = _runner.Bind(statement, parameters);
        if (failure is not null)
        {
            return new ReadOutcome.Failed(failure);
        }

        var gatheredMax = limits.RowsMax is null ? GatheredBytesMax : long.MaxValue;
        long counted = 0;
        failure = _runner.Fetch(
            statement,
            ref rows,
            all =>
            {
                exceeded = RowFailure(all) ?? GatheringFailure(all, limits);
                if (exceeded is null && limits.Memory is { } memory && !memory.TryGrow(all.Bytes - counted))
                {
                    exceeded = new(
                        FailureCode.Overloaded, "This node holds as many bytes for requests as it may (--request-memory). Nothing was done; come back in a moment.");
                }

                counted = all.Bytes;
                return exceeded is not null || all.Bytes >= gatheredMax;
            },
            out var isDone);
        failure ??= exceeded;
        if (failure is not null)
        {
            return new ReadOutcome.Failed(failure);
        }

        // PRAGMA and EXPLAIN may have no columns when they have nothing to say.
        var first = rows.ToRowSet();
        rows.Take();
        return isDone ? new ReadOutcome.RowsRead(first) : new ReadOutcome.RowsBegun(first, new(this, statement, rows));
    }

    /// <summary>Whether the row that came last is too large. The others were looked at before.</summary>
    private Failure? RowFailure(RowCollector rows) => rows.LastBytes <= _resultBytesMax ? null : new(
        FailureCode.TooLarge,
        $"A row of the result has more than {_resultBytesMax} bytes (--max-result); ask for fewer columns, or for parts of large values with substr().");

    private Failure? GatheringFailure(RowCollector rows, ReadLimits limits) => limits.RowsMax switch
    {
        null => null,
        { } max when rows.Count > max => new(
            FailureCode.TooLarge, $"The result has more than {max} rows, which is the request's \"max_rows\". Narrow it with WHERE, or take it in parts with ORDER BY and LIMIT."),
        _ when rows.Bytes > _resultBytesMax => new(
            FailureCode.TooLarge,
            limits.RowsMax == long.MaxValue
                ? $"In a transaction a result is gathered before it is sent, and this one has more than {_resultBytesMax} bytes (--max-result). Narrow it with WHERE, LIMIT or fewer columns."
                : $"With \"max_rows\" a result is gathered before it is sent, and this one has more than {_resultBytesMax} bytes (--max-result). Narrow it with WHERE, LIMIT or fewer columns, or leave \"max_rows\" out."),
        _ => null,
    };
}
