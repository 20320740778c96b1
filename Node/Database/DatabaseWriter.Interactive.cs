using System.Diagnostics;
using DistDb.Node.Commands;
using DistDb.Node.Database.Changes;

namespace DistDb.Node.Database;

/// <summary>
/// Interactive transactions (docs/adr/0018): between entries the writer, which keeps the file's write lock anyway, may have one in effect, in a savepoint. As soon as the writer is wanted for an
/// entry, a checkpoint or anything else, that savepoint is undone.
/// </summary>
public sealed partial class DatabaseWriter
{
    private readonly SavepointStack _savepoints = new();
    private readonly List<ChangeCapture.Position> _savepointMarks = [];
    private InteractiveTransaction? _inEffect;

    /// <summary>Leader: executes one statement of an interactive transaction, for its client to see what it does; nobody else sees anything.</summary>
    /// <param name="transaction">The only one of this database; nothing else was written to it since its first statement.</param>
    /// <param name="statement">Any one statement but BEGIN, COMMIT and ROLLBACK.</param>
    /// <param name="rights">What its client may do, and how many bytes of rows it may return.</param>
    /// <param name="limit">Time for the statement.</param>
    /// <exception cref="InvalidOperationException">An entry is open.</exception>
    /// <exception cref="StorageFailedException">The storage failed: the node must stop.</exception>
    public StepOutcome Step(InteractiveTransaction transaction, Statement statement, WriteRights rights, TimeSpan limit)
    {
        if (_begun)
        {
            throw new InvalidOperationException($"Entry {_stamp.Index} is open.");
        }

        if (_inEffect != transaction && !TryResume(transaction))
        {
            return new(null, Irreproducible, IsOver: true);
        }

        _runner.ResultBytesLeft = _runner.KeptBytesLeft = rights.ResultBytesMax;
        _connection.Limit.Set(limit, CancellationToken.None);
        var failure = RunInteractive(transaction.Terms, statement, Seat.Next(transaction), rights, collectRows: true, out var result, out var kind);
        _connection.Limit.Clear();
        if (!_connection.InTransaction)
        {
            // An interrupt, ON CONFLICT ROLLBACK: nothing is left of the transaction.
            _inEffect = null;
            EndInteractive();
            Lock();
            return new(null, failure, IsOver: true);
        }

        if (kind == StepKind.Read)
        {
            transaction.ReadCount++;
        }
        else
        {
            transaction.Add(failure is null ? statement : InteractiveTerms.Failed, failure is null && kind == StepKind.Write ? result : null, _connection.LastInsertId);
        }

        // Who only read has inserted nothing.
        return new(kind == StepKind.Write || result is null ? result : result with { LastInsertId = 0 }, failure);
    }

    /// <summary>Takes an interactive transaction, if one is in effect, out of it.</summary>
    /// <exception cref="StorageFailedException">The storage failed: the node must stop.</exception>
    public void Suspend()
    {
        if (_inEffect is null)
        {
            return;
        }

        _inEffect = null;
        FinishWrite(succeeded: false);
        EndInteractive();
    }

    private static Failure Irreproducible { get; } = new(
        FailureCode.TransactionLost, "The transaction's statements did something else when they were repeated. It was rolled back and nothing of it was done; run it again.");

    /// <summary>Executes again what the transaction has done so far.</summary>
    /// <returns>False where it did something else, and is out of effect again.</returns>
    private bool TryResume(InteractiveTransaction transaction)
    {
        Suspend();
        if (!_connection.InTransaction)
        {
            Lock();
        }

        var started = Stopwatch.GetTimestamp();
        BeginInteractive(transaction.WithoutForeignKeys);
        StartWrite(0);
        _inEffect = transaction;
        _runner.ResultBytesLeft = _runner.KeptBytesLeft = long.MaxValue;
        _connection.Limit.Clear();
        long rowsAffected = 0;
        for (var i = 0; i < transaction.Statements.Count; i++)
        {
            var failure = RunInteractive(transaction.Terms, transaction.Statements[i], new(i, i), new(MaySchema: true), collectRows: false, out var result, out _);
            if (failure is not null)
            {
                Suspend();
                return false;
            }

            rowsAffected += result!.RowsAffected;
        }

        transaction.RepeatedFor += Stopwatch.GetElapsedTime(started);
        if (new WriteObservation(rowsAffected, _connection.LastInsertId) == transaction.Observation || transaction.Statements.Count == 0)
        {
            return true;
        }

        Suspend();
        return false;
    }

    private void BeginInteractive(bool withoutForeignKeys)
    {
        _savepoints.Clear();
        _savepointMarks.Clear();
        if (withoutForeignKeys && _foreignKeys)
        {
            _connection.EnforceForeignKeys(false);
        }
    }

    private void EndInteractive()
    {
        _savepoints.Clear();
        _savepointMarks.Clear();
        if (_foreignKeys)
        {
            _connection.EnforceForeignKeys(true);
        }

        if (_schemaTouchedByWrite)
        {
            ForgetSchema();
            _schemaTouchedByWrite = false;
        }
    }

    /// <summary>
    /// Runs one statement of an interactive transaction, at its client's request or from the log, within the write's savepoint. Where it fails, it is undone alone, and
    /// <c>changes()</c> is 0.
    /// </summary>
    private Failure? RunInteractive(
        InteractiveTerms terms, Statement statement, Seat seat, WriteRights rights, bool collectRows, out StatementResult? result, out StepKind step)
    {
        step = StepKind.Control;
        result = new(0, _connection.LastInsertId, null);
        if (statement.Sql.Length == 0)
        {
            _pinNothing.Run();
            return null;
        }

        if (TransactionControl.Parse(statement.Sql) is { } control)
        {
            return RunControl(control);
        }

        var lastInsertId = _connection.LastInsertId;
        if (IsDescription(statement.Sql))
        {
            step = StepKind.Read;
            return Describe(statement, out result);
        }

        if (!_statements.TryGet(statement.Sql, out var prepared, out var failure))
        {
            _pinNothing.Run();
            return failure;
        }

        var kind = prepared.Kind;
        var isRead = kind == StatementKind.Read;
        step = isRead ? StepKind.Read : StepKind.Write;
        prepared.Release();
        _connection.SeedEntry(new(0, terms.TimeMs, terms.Seed), isRead ? seat.Read : seat.Write);
        var mark = _changes.Mark();
        if (!isRead)
        {
            _step.Run();
        }

        failure = RunStatement(_ofTransaction, statement, rights, collectRows, out result);
        if (failure is null && _runner.KeptBytesLeft < 0)
        {
            failure = new(FailureCode.TooLarge, $"A statement of an interactive transaction may return {rights.ResultBytesMax} bytes; narrow it with WHERE, LIMIT or fewer columns.");
        }

        if (isRead || !_connection.InTransaction)
        {
            return failure;
        }

        if (failure is not null)
        {
            _rollbackToStep.Run();
            _changes.Cut(mark);
        }

        _releaseStep.Run();
        if (kind == StatementKind.Schema)
        {
            ForgetSchema();
        }

        if (failure is not null)
        {
            _connection.LastInsertId = lastInsertId;
            _pinNothing.Run();
        }

        return failure;
    }

    /// <summary>Savepoints are SQLite's own, with names that no client's can be mistaken for.</summary>
    private Failure? RunControl(TransactionControl control)
    {
        if (control.Verb is TransactionVerb.Begin or TransactionVerb.Commit or TransactionVerb.Rollback)
        {
            _pinNothing.Run();
            return new(FailureCode.SqlError, "cannot start a transaction within a transaction", SqliteErrors.Error);
        }

        if (_savepoints.Apply(control, out var depth) is { } failure)
        {
            _pinNothing.Run();
            return failure;
        }

        _connection.RunInternal((control.Verb switch
        {
            TransactionVerb.Savepoint => "SAVEPOINT client",
            TransactionVerb.Release => "RELEASE client",
            _ => "ROLLBACK TO client",
        }) + depth);
        NoteSavepoint(control.Verb, depth);
        if (control.Verb == TransactionVerb.RollbackTo && _schemaTouchedByWrite)
        {
            ForgetSchema();
        }

        return null;
    }

    /// <summary>What a savepoint undoes was not changed.</summary>
    private void NoteSavepoint(TransactionVerb verb, int depth)
    {
        if (verb == TransactionVerb.RollbackTo)
        {
            _changes.Cut(_savepointMarks[depth]);
        }

        var kept = verb == TransactionVerb.RollbackTo ? depth + 1 : depth;
        _savepointMarks.RemoveRange(kept, _savepointMarks.Count - kept);
        if (verb == TransactionVerb.Savepoint)
        {
            _savepointMarks.Add(_changes.Mark());
        }
    }

    /// <summary>What SQLite holds in memory of a schema that has changed, or changed back, is read anew.</summary>
    private void ForgetSchema()
    {
        // A savepoint makes full-text tables write out what they hold in memory, before they are opened anew with the schema.
        _step.Run();
        _releaseStep.Run();
        _statements.Clear();
        _changes.ForgetTables();
        _connection.ForgetSchema();
    }

    private static bool IsDescription(string sql)
    {
        var tokens = new SqlTokens(sql);
        return tokens.IsWord("PRAGMA");
    }

    /// <summary>A PRAGMA that tells of the schema, which the log has no place for.</summary>
    private Failure? Describe(Statement statement, out StatementResult? result)
    {
        result = null;
        using var cache = new StatementCache(_connection, 1);
        _connection.Authorizer.IsDescribing = true;
        try
        {
            if (!cache.TryGet(statement.Sql, out var prepared, out var failure))
            {
                return failure;
            }

            try
            {
                return prepared.Kind != StatementKind.Read
                    ? new(FailureCode.Forbidden, "This PRAGMA is not available in a transaction.")
                    : _runner.TryRun(prepared, statement.Parameters, collectRows: true, out result, out failure) ? null : failure;
            }
            finally
            {
                prepared.Release();
            }
        }
        finally
        {
            _connection.Authorizer.IsDescribing = false;
        }
    }

    private static readonly WriteCommand _ofTransaction = new() { IsTransaction = true };

    private enum StepKind
    {
        Read,

        /// <summary>A savepoint, or what did not even begin.</summary>
        Control,
        Write,
    }

    /// <summary>Where a statement's chance comes from: its place among those that are logged, or, counted down from the end, among those that read.</summary>
    private readonly record struct Seat(int Write, int Read)
    {
        public static Seat Next(InteractiveTransaction transaction) => new(transaction.Statements.Count, int.MaxValue - 1 - transaction.ReadCount);
    }
}
