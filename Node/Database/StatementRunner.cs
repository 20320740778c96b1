using System.Diagnostics.CodeAnalysis;
using DistDb.Node.Commands;
using DistDb.Node.Database.Native;

namespace DistDb.Node.Database;

/// <summary>Binds and steps clients' prepared statements, within the connection's time limit and a budget of result bytes.</summary>
internal sealed class StatementRunner(Connection connection)
{
    public const string ResultTooLarge = "The result is larger than an answer may be; narrow it with WHERE, LIMIT or fewer columns.";

    /// <summary>Result bytes that the statements to come may still return together.</summary>
    public long ResultBytesLeft { get; set; }

    /// <summary>Of these, how many are kept. Once there are more, rows are counted and not kept any more, and this is negative.</summary>
    public long KeptBytesLeft { get; set; } = long.MaxValue;

    /// <summary>Runs a statement to its end. The caller resets it, and undoes what a failed one did.</summary>
    /// <param name="statement">Not running.</param>
    /// <param name="parameters">Its values.</param>
    /// <param name="collectRows">False to let rows pass unread.</param>
    /// <param name="result">What it did, where it succeeded.</param>
    /// <param name="failure">Why it failed, where it did.</param>
    /// <exception cref="StorageFailedException">The storage failed, rather than the statement.</exception>
    public bool TryRun(
        PreparedStatement statement,
        StatementParameters parameters,
        bool collectRows,
        [NotNullWhen(true)] out StatementResult? result,
        [NotNullWhen(false)] out Failure? failure)
    {
        result = null;
        failure = Bind(statement, parameters);
        if (failure is not null)
        {
            return false;
        }

        connection.ReservedRowidUsed = false;
        connection.Capture?.Prepare();
        BeginSteps();
        try
        {
            failure = Step(statement, collectRows, out var rows);
            if (failure is not null)
            {
                return false;
            }

            var rowsAffected = statement.Kind == StatementKind.RowWrite ? connection.Changes : 0;
            result = new(rowsAffected, connection.LastInsertId, rows);
            return true;
        }
        finally
        {
            EndSteps();
        }
    }

    /// <summary>Gives a statement its values.</summary>
    /// <returns>Why they do not fit, or null.</returns>
    public Failure? Bind(PreparedStatement statement, StatementParameters parameters) => ParameterBinder.Bind(connection, statement, parameters);

    /// <summary>Reads rows of a statement that has its values, until <paramref name="isEnough"/> or there are no more.</summary>
    /// <param name="statement">A reading one.</param>
    /// <param name="rows">Where they are gathered; made at the first call, when the columns are known.</param>
    /// <param name="isEnough">Asked after each row.</param>
    /// <param name="isDone">Whether there are no more.</param>
    /// <returns>Why it failed, or null.</returns>
    /// <exception cref="StorageFailedException">The storage failed, rather than the statement.</exception>
    public Failure? Fetch(PreparedStatement statement, [NotNull] ref RowCollector? rows, Func<RowCollector, bool> isEnough, out bool isDone)
    {
        isDone = false;
        BeginSteps();
        try
        {
            int code;
            while ((code = Sqlite3.sqlite3_step(statement.Handle)) == Sqlite3.Row)
            {
                rows ??= new(statement);
                rows.Add();
                if (isEnough(rows))
                {
                    return null;
                }
            }

            rows ??= new(statement);
            isDone = code == Sqlite3.Done;
            return isDone ? null : SqliteErrors.ToFailure(connection, code);
        }
        finally
        {
            EndSteps();
        }
    }

    private void BeginSteps()
    {
        connection.Authorizer.BeginStep();
        connection.Authorizer.Bypass = false;
        connection.Limit.Arm();
    }

    private void EndSteps()
    {
        connection.Limit.Disarm();
        connection.Authorizer.Bypass = true;
    }

    private Failure? Step(PreparedStatement statement, bool collectRows, out RowSet? rows)
    {
        rows = null;
        RowCollector? collector = null;
        int code;
        while ((code = Sqlite3.sqlite3_step(statement.Handle)) == Sqlite3.Row)
        {
            if (collectRows)
            {
                collector ??= new(statement);
                var bytes = KeptBytesLeft < 0 ? collector.Skip() : collector.Add();
                ResultBytesLeft -= bytes;
                KeptBytesLeft -= bytes;
                if (KeptBytesLeft < 0)
                {
                    _ = collector.Take();
                }

                if (ResultBytesLeft < 0)
                {
                    return new(FailureCode.TooLarge, ResultTooLarge);
                }
            }
        }

        if (code != Sqlite3.Done)
        {
            return SqliteErrors.ToFailure(connection, code);
        }

        if (connection.ReservedRowidUsed)
        {
            return new(
                FailureCode.Forbidden,
                $"The rowid {long.MaxValue} is not available: SQLite would choose every later one at random. Use a smaller one.");
        }

        if (collectRows && statement.Columns.Length > 0)
        {
            rows = (collector ?? new(statement)).ToRowSet();
        }

        return null;
    }
}
