using System.Data;
using System.Data.Common;
using System.Text.Json;
using DistDb.Node.Commands;

namespace DistDb.Data;

/// <summary>
/// A transaction: all of it is done when <see cref="CommitAsync"/> returns, and nothing of it otherwise. It is held by the node at which it began; where that node dies or the cluster's leader changes it is lost, and commands
/// fail with a <see cref="DistDbException"/> that is transient: run it again from its beginning. Nothing within it is ever sent twice. It is rolled back by the node when nothing comes for five seconds (<c>--transaction-idle</c>).
/// </summary>
public sealed class DistDbTransaction : DbTransaction
{
    private static readonly TimeSpan _pause = TimeSpan.FromMilliseconds(100);

    /// <summary>A transaction that cannot be rolled back in this time ends by itself.</summary>
    private static readonly TimeSpan _rollbackPatience = TimeSpan.FromSeconds(2);

    private readonly Cluster _cluster;
    private readonly Uri _server;
    private readonly string _path;
    private DistDbConnection? _connection;
    private DistDbException? _loss;

    private DistDbTransaction(DistDbConnection connection, Cluster cluster, Uri server, string id)
    {
        (_connection, _cluster, _server) = (connection, cluster, server);
        _path = "/transactions/" + Uri.EscapeDataString(id);
    }

    /// <summary>Always <see cref="IsolationLevel.Serializable"/>.</summary>
    public override IsolationLevel IsolationLevel => IsolationLevel.Serializable;

    /// <inheritdoc/>
    public override bool SupportsSavepoints => true;

    /// <summary>The connection; null once the transaction has ended.</summary>
    public new DistDbConnection? Connection => _connection;

    /// <inheritdoc/>
    protected override DbConnection? DbConnection => _connection;

    internal static async ValueTask<DistDbTransaction> BeginAsync(DistDbConnection connection, DistDbTransactionMode mode, CancellationToken cancellation)
    {
        var cluster = connection.Cluster;
        var name = mode switch { DistDbTransactionMode.ReadOnly => "read_only", DistDbTransactionMode.Deferred => "deferred", _ => "immediate" };

        // One that began and of which nobody heard ends by itself, so that it may begin twice.
        var ask = new Ask("/transactions")
        {
            Body = _ => RequestJson.Begin(connection.Database, name),
            MayWrite = false,
            WaitsForTurn = true,
            Timeout = DistDbConnection.ToTimeout(connection.DefaultTimeout),
        };
        var (server, id) = await cluster.AskAsync(
            ask,
            async (node, response, patience) =>
            {
                using (response)
                {
                    using var json = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync(patience).ConfigureAwait(false));
                    return (node, json.RootElement.GetProperty("id").GetString()!);
                }
            },
            cancellation).ConfigureAwait(false);
        return connection.Transaction = new(connection, cluster, server, id);
    }

    /// <inheritdoc cref="CommitAsync"/>
    public override void Commit() => CommitAsync(CancellationToken.None).GetAwaiter().GetResult();

    /// <summary>Has all of it done.</summary>
    /// <exception cref="DistDbException">It is not done, or, where the <see cref="DistDbException.Outcome"/> says so, nobody knows. The transaction has ended either way.</exception>
    public override async Task CommitAsync(CancellationToken cancellationToken = default)
    {
        ThrowIfOver();
        var timeout = DistDbConnection.ToTimeout(_connection!.DefaultTimeout);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (timeout != Timeout.InfiniteTimeSpan)
        {
            limit.CancelAfter(timeout);
        }

        try
        {
            await SendCommitAsync(Step(RequestJson.Steps([], "commit"), timeout), limit.Token).ConfigureAwait(false);
        }
        finally
        {
            End();
        }
    }

    /// <inheritdoc cref="RollbackAsync(CancellationToken)"/>
    public override void Rollback() => RollbackAsync(CancellationToken.None).GetAwaiter().GetResult();

    /// <summary>Has nothing of it done.</summary>
    public override async Task RollbackAsync(CancellationToken cancellationToken = default)
    {
        _ = _connection ?? throw Completed();
        await UndoAsync(cancellationToken).ConfigureAwait(false);
        End();
    }

    /// <inheritdoc cref="SaveAsync"/>
    public override void Save(string savepointName) => SaveAsync(savepointName).GetAwaiter().GetResult();

    /// <summary>Sets a savepoint, to which <see cref="RollbackAsync(string, CancellationToken)"/> goes back.</summary>
    public override Task SaveAsync(string savepointName, CancellationToken cancellationToken = default) => RunAsync("SAVEPOINT " + Quote(savepointName), cancellationToken);

    /// <inheritdoc cref="RollbackAsync(string, CancellationToken)"/>
    public override void Rollback(string savepointName) => RollbackAsync(savepointName).GetAwaiter().GetResult();

    /// <summary>Undoes what was done since the savepoint, which stays.</summary>
    public override Task RollbackAsync(string savepointName, CancellationToken cancellationToken = default) => RunAsync("ROLLBACK TO " + Quote(savepointName), cancellationToken);

    /// <inheritdoc cref="ReleaseAsync"/>
    public override void Release(string savepointName) => ReleaseAsync(savepointName).GetAwaiter().GetResult();

    /// <summary>Forgets the savepoint; what was done since belongs to the transaction.</summary>
    public override Task ReleaseAsync(string savepointName, CancellationToken cancellationToken = default) => RunAsync("RELEASE " + Quote(savepointName), cancellationToken);

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        if (_connection is not null)
        {
            await UndoAsync(CancellationToken.None).ConfigureAwait(false);
            End();
        }

        await base.DisposeAsync().ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing && _connection is not null)
        {
            UndoAsync(CancellationToken.None).GetAwaiter().GetResult();
            End();
        }

        base.Dispose(disposing);
    }

    /// <summary>Has the transaction's node execute statements, up to the first that fails.</summary>
    /// <exception cref="DistDbException">One failed, and the transaction goes on without it; or the transaction is lost.</exception>
    internal async Task<IReadOnlyList<StatementResult>> RunAsync(IReadOnlyList<BoundStatement> statements, TimeSpan timeout, CancellationToken cancellation)
    {
        ThrowIfOver();
        var step = Step(RequestJson.Steps(statements), timeout);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        if (timeout != Timeout.InfiniteTimeSpan)
        {
            limit.CancelAfter(timeout);
        }

        try
        {
            return await _cluster.TryAsync(_server, step, left: null, Execution.ReadAllAsync, limit.Token).ConfigureAwait(false);
        }
        catch (NodeFailure e) when (e.Code != DistDbException.Unreachable)
        {
            var failure = Cluster.Explain(step, e, mayBeDone: false);
            if (e.TransactionState is not (null or "open") || e.Code is "no_such_transaction" or "internal")
            {
                _loss = failure;
            }

            throw failure;
        }
        catch (Exception e) when (e is NodeFailure or OperationCanceledException)
        {
            // Whether the node has executed it nobody knows. It is not asked again; without a commit nothing of it stays.
            var why = e is NodeFailure ? e.Message : $"{_server.GetLeftPart(UriPartial.Authority)} gave no answer in time.";
            _loss = new($"{why} The transaction is rolled back, nothing of it was done: run it again from its beginning.", "transaction_lost", isTransient: true, DistDbOutcome.NotDone, e) { Server = _server };
            await SendRollbackAsync(CancellationToken.None).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
            throw _loss;
        }
    }

    private async Task SendCommitAsync(Ask commit, CancellationToken patience)
    {
        var wasSent = false;
        NodeFailure? last = null;
        try
        {
            while (true)
            {
                try
                {
                    // Committing again what was committed answers the same.
                    await _cluster.TryAsync(_server, commit, left: null, Execution.ReadAllAsync, patience).ConfigureAwait(false);
                    return;
                }
                catch (NodeFailure e)
                {
                    last = e;
                }

                if (last.TransactionState == "rolled_back")
                {
                    throw Cluster.Explain(commit, last, mayBeDone: false);
                }

                if (last is { Code: DistDbException.Unreachable, MayBeDone: false } or { Code: "no_such_transaction" })
                {
                    // The node that held it is gone, or was restarted, and with it whoever could tell.
                    throw wasSent ? Unknown(last) : new DistDbException(
                        $"{last.Message} The transaction is lost, nothing of it was done: run it again from its beginning.", "transaction_lost", isTransient: true, DistDbOutcome.NotDone, last)
                    { Server = _server };
                }

                if (!wasSent && !last.IsWorthAnother && last is not { TransactionState: "open", Code: "timeout" })
                {
                    throw Cluster.Explain(commit, last, last.MayBeDone);
                }

                wasSent |= last.MayBeDone;
                await Task.Delay(_pause, patience).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException e)
        {
            throw Unknown(last ?? (Exception)e);
        }
    }

    private DistDbException Unknown(Exception inner) => new(
        $"{(inner is NodeFailure failure ? failure.Message : "There was no answer in time.")} It is not known whether the transaction was committed: all of it was done or nothing. Look before you run it again.",
        "outcome_unknown",
        isTransient: false,
        DistDbOutcome.Unknown,
        inner)
    {
        Server = _server,
    };

    private async Task UndoAsync(CancellationToken cancellation)
    {
        if (_loss is null)
        {
            await SendRollbackAsync(cancellation).ConfigureAwait(false);
        }
    }

    private async Task SendRollbackAsync(CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(_rollbackPatience);
        try
        {
            await _cluster.TryAsync(_server, Step(RequestJson.Steps([], "rollback"), _rollbackPatience), left: null, Execution.ReadAllAsync, limit.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is NodeFailure || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            // It ends by itself where its node does not hear of it: without a commit nothing of it is done.
        }
    }

    private Task<IReadOnlyList<StatementResult>> RunAsync(string sql, CancellationToken cancellation) =>
        RunAsync([new(sql, [])], DistDbConnection.ToTimeout((_connection ?? throw Completed()).DefaultTimeout), cancellation);

    private Ask Step(ReadOnlyMemory<byte> body, TimeSpan timeout) => new(_path) { Body = _ => body, MayWrite = true, Timeout = timeout };

    private void ThrowIfOver()
    {
        _ = _connection ?? throw Completed();
        if (_loss is { } loss)
        {
            throw new DistDbException(loss.Message, loss.Code, loss.IsTransient, loss.Outcome, loss) { Server = loss.Server, HttpStatus = loss.HttpStatus };
        }
    }

    private void End()
    {
        if (_connection is { } connection)
        {
            connection.Transaction = null;
            _connection = null;
        }
    }

    private static InvalidOperationException Completed() => new("The transaction has ended: it was committed or rolled back before. Begin a new one.");

    private static string Quote(string name)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        return SqlName.Quote(name);
    }
}
