namespace DistDb.Data;

/// <summary>How statements are sent: one by itself; several that only read one after the other, as they are wanted; several others as one write, all or nothing; and within a transaction whatever there is.</summary>
internal sealed class Execution
{
    private readonly DistDbConnection _connection;
    private readonly IReadOnlyList<BoundStatement> _statements;
    private readonly TimeSpan _timeout;
    private IReadOnlyList<StatementResult>? _results;
    private int _next;

    public Execution(DistDbConnection connection, IReadOnlyList<BoundStatement> statements, TimeSpan timeout) =>
        (_connection, _statements, _timeout) = (connection, statements, timeout);

    /// <summary>What its cluster has in common.</summary>
    public Cluster Cluster { get; private init; } = null!;

    public TimeSpan Timeout => _timeout;

    /// <summary>Told of each statement that changed rows, or could have: its place and how many.</summary>
    public Action<int, long>? Executed { get; set; }

    /// <param name="connection">An open one.</param>
    /// <param name="transaction">The command's.</param>
    /// <param name="statements">What to execute.</param>
    /// <param name="seconds">The command's time limit.</param>
    /// <exception cref="InvalidOperationException">The connection is closed, or its transaction is not the command's.</exception>
    public static Execution Begin(DistDbConnection? connection, DistDbTransaction? transaction, IReadOnlyList<BoundStatement> statements, int seconds)
    {
        var cluster = (connection ?? throw new InvalidOperationException("The command has no connection.")).Cluster;
        return connection.Transaction == transaction
            ? new(connection, statements, DistDbConnection.ToTimeout(seconds)) { Cluster = cluster }
            : throw new InvalidOperationException(
                transaction is null ? "The connection has an open transaction, which the command must have as its Transaction."
                : transaction.Connection is null ? "The command's transaction has ended: it was committed or rolled back."
                : "The command's transaction is another connection's.");
    }

    /// <summary>The next statement's result; null behind the last.</summary>
    /// <exception cref="DistDbException">It was refused, or nobody answered.</exception>
    public async ValueTask<StatementResult?> NextAsync(CancellationToken cancellation)
    {
        if (_next == _statements.Count)
        {
            return null;
        }

        var result = await FetchAsync(cancellation).ConfigureAwait(false);
        if (result.IsChange)
        {
            Executed?.Invoke(_next, result.RowsAffected ?? 0);
        }

        _next++;
        return result;
    }

    private async ValueTask<StatementResult> FetchAsync(CancellationToken cancellation)
    {
        if (_results is null && _connection.Transaction is null && (_statements.Count == 1 || _statements.All(statement => statement.SurelyReads)))
        {
            return await QueryAsync(_statements[_next], cancellation).ConfigureAwait(false);
        }

        _results ??= _connection.Transaction is { } transaction
            ? await transaction.RunAsync(_statements, _timeout, cancellation).ConfigureAwait(false)
            : await WriteAsync(cancellation).ConfigureAwait(false);
        return _results[_next];
    }

    /// <summary>Reads an answer with all its results, and closes it.</summary>
    public static async Task<IReadOnlyList<StatementResult>> ReadAllAsync(Uri server, HttpResponseMessage response, CancellationToken cancellation)
    {
        var reader = new AnswerReader(response, await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false));
        await using (reader.ConfigureAwait(false))
        {
            return await reader.ReadAllAsync(cancellation).ConfigureAwait(false);
        }
    }

    private async Task<StatementResult> QueryAsync(BoundStatement statement, CancellationToken cancellation)
    {
        var id = statement.SurelyReads ? null : NewId();
        var seen = Cluster.Index;
        var (database, consistency) = (_connection.Database, _connection.Consistency);
        var ask = new Ask("/query")
        {
            Body = timeoutMs => RequestJson.Query(statement, database, id, consistency, seen, timeoutMs),
            MayWrite = id is not null,
            Id = id,
            Timeout = _timeout,
        };
        try
        {
            return await Cluster.AskAsync(ask, ReadHeadAsync, cancellation).ConfigureAwait(false);
        }
        catch (DistDbException e) when (e.Code == "timeout" && seen > 0)
        {
            // The cluster at these addresses may be another by now, which has never come so far.
            Cluster.Forget(seen);
            throw;
        }
    }

    private async Task<StatementResult> ReadHeadAsync(Uri server, HttpResponseMessage response, CancellationToken cancellation)
    {
        var reader = new AnswerReader(response, await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false));
        var isHandedOn = false;
        try
        {
            var result = await reader.ReadHeadAsync(cancellation).ConfigureAwait(false);
            isHandedOn = result.Rest is not null;
            if (!isHandedOn)
            {
                Cluster.Saw(reader.Index, result.RowsAffected is not null);
            }

            return result;
        }
        finally
        {
            if (!isHandedOn)
            {
                reader.Dispose();
            }
        }
    }

    private async Task<IReadOnlyList<StatementResult>> WriteAsync(CancellationToken cancellation)
    {
        var id = NewId();
        var database = _connection.Database;
        var ask = new Ask("/query")
        {
            Body = timeoutMs => RequestJson.Transaction(_statements, database, id, timeoutMs),
            MayWrite = true,
            Id = id,
            Timeout = _timeout,
        };
        return await Cluster.AskAsync(
            ask,
            async (_, response, patience) =>
            {
                var reader = new AnswerReader(response, await response.Content.ReadAsStreamAsync(patience).ConfigureAwait(false));
                await using (reader.ConfigureAwait(false))
                {
                    var results = await reader.ReadAllAsync(patience).ConfigureAwait(false);
                    Cluster.Saw(reader.Index, isWrite: true);
                    return results;
                }
            },
            cancellation).ConfigureAwait(false);
    }

    private static string NewId() => Guid.NewGuid().ToString("N");
}
