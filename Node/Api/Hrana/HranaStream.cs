using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Replication;

namespace DistDb.Node.Api.Hrana;

/// <summary>
/// A client's stream at the node that it began at: what a connection is to SQLite. It has a transaction, stored texts, and whether foreign keys are enforced. One request uses it at a time, which its
/// batons see to.
/// </summary>
/// <param name="node">The node.</param>
/// <param name="store">Bounds what all streams store.</param>
/// <param name="database">The database.</param>
/// <param name="token">The name of the client's token, or null.</param>
internal sealed class HranaStream(ClusterNode node, StreamStore store, DatabaseName database, string? token) : IDisposable
{
    /// <summary>As libSQL's own server has it.</summary>
    private const int StoredTextsMax = 50;
    private const int StoredTextLengthMax = 5000;

    private readonly Dictionary<int, string> _stored = [];
    private ClientTransaction? _transaction;
    private SavepointStack? _outerSavepoints;
    private Failure? _aborted;
    private bool _withoutForeignKeys;

    public Guid Id { get; } = Guid.NewGuid();

    public DatabaseName Database { get; } = database;

    public string? Token { get; } = token;

    /// <summary>Counts its answers: the sequence of the one baton that is good.</summary>
    public int Sequence { get; set; }

    /// <summary>When it was used last, by <see cref="Environment.TickCount64"/>.</summary>
    public long UsedAtMs { get; set; } = Environment.TickCount64;

    /// <summary>Whether no transaction is open.</summary>
    public bool IsAutocommit => _transaction is null && _aborted is null;

    /// <summary>Ends its transaction. It may be used again.</summary>
    public void Reset()
    {
        _transaction?.Dispose();
        _transaction = null;
        _outerSavepoints = null;
        _aborted = null;
    }

    public void Dispose()
    {
        Reset();
        store.Count(-_stored.Values.Sum(s => s.Length));
        _stored.Clear();
    }

    /// <summary>Keeps a text for later statements.</summary>
    public HranaFailure? StoreSql(int id, string sql)
    {
        if (sql.Length > StoredTextLengthMax || !store.Count(sql.Length))
        {
            return new("SQL_STORE_TOO_LARGE", $"A text that is stored may have {StoredTextLengthMax} characters, and all streams of a node together a bounded number; send it with the statement.");
        }

        CloseSql(id);
        if (_stored.Count >= StoredTextsMax)
        {
            store.Count(-sql.Length);
            return new("SQL_STORE_TOO_MANY", $"A stream may store {StoredTextsMax} texts; close some with close_sql.");
        }

        _stored[id] = sql;
        return null;
    }

    public void CloseSql(int id)
    {
        if (_stored.Remove(id, out var sql))
        {
            store.Count(-sql.Length);
        }
    }

    public string FindSql(int id) => _stored.TryGetValue(id, out var sql) ? sql : throw new HranaException($"No text is stored under the sql_id {id}.");

    /// <summary>Executes one statement as its client's next.</summary>
    /// <exception cref="HranaException">The transaction is lost, and the stream with it.</exception>
    public async Task<HranaOutcome> ExecuteAsync(HranaStatement statement, HranaRequest request)
    {
        if (statement.Fault is { } fault)
        {
            return fault;
        }

        var sql = statement.Statement.Sql;
        var (result, failure) = await RunAsync(statement.Statement, request).ConfigureAwait(false);
        if (failure is null)
        {
            return new HranaOutcome(result, null);
        }

        return failure.Code is FailureCode.TransactionLost or FailureCode.TransactionTimeout
            ? throw new HranaException(StatusCodes.Status410Gone, HranaFailure.Of(failure))
            : HranaFailure.Of(failure, sql);
    }

    /// <summary>Executes a batch's steps whose conditions hold.</summary>
    /// <param name="steps">The batch.</param>
    /// <param name="request">What it belongs to.</param>
    /// <param name="done">Told of each step that was executed.</param>
    /// <exception cref="HranaException">The transaction is lost, and the stream with it.</exception>
    public async Task<IReadOnlyList<HranaOutcome>> ExecuteAsync(IReadOnlyList<HranaStep> steps, HranaRequest request, Func<int, HranaOutcome, Task>? done = null)
    {
        var outcomes = new List<HranaOutcome>();
        while (outcomes.Count < steps.Count)
        {
            var step = steps[outcomes.Count];
            var holds = step.Condition?.Holds(outcomes, IsAutocommit) ?? true;
            if (holds && IsAutocommit && WholeTransaction.Find(steps, outcomes.Count) is { } whole
                && await ExecuteWholeAsync(whole, request).ConfigureAwait(false) is { } all)
            {
                foreach (var outcome in all)
                {
                    await AddAsync(outcome).ConfigureAwait(false);
                }

                continue;
            }

            await AddAsync(holds ? await ExecuteAsync(step.Statement, request).ConfigureAwait(false) : default).ConfigureAwait(false);
        }

        return outcomes;

        async Task AddAsync(HranaOutcome outcome)
        {
            outcomes.Add(outcome);
            if (done is not null && outcome != default)
            {
                await done(outcomes.Count - 1, outcome).ConfigureAwait(false);
            }
        }
    }

    /// <summary>Executes statements of a text up to the first that fails.</summary>
    /// <exception cref="HranaException">The transaction is lost, and the stream with it.</exception>
    public async Task<HranaFailure?> ExecuteSequenceAsync(string sql, HranaRequest request)
    {
        foreach (var (text, _) in StatementSplitter.Split(sql))
        {
            if ((await ExecuteAsync(new HranaStatement(new(text, StatementParameters.None), false), request).ConfigureAwait(false)).Failure is { } failure)
            {
                return failure;
            }
        }

        return null;
    }

    /// <summary>What a statement takes and returns, without executing it.</summary>
    public Task<(StatementDescription? Description, Failure? Failure)> DescribeAsync(string sql, HranaRequest request) =>
        node.DescribeAsync(Database.Value, sql, request.Cancellation);

    /// <summary>A transaction that came whole is one write of the log, as any other, and needs no turn. Null where it failed, which leaves no trace: step by step it is known how.</summary>
    private async Task<IReadOnlyList<HranaOutcome>?> ExecuteWholeAsync(WholeTransaction whole, HranaRequest request)
    {
        if (request.Access.Role < TokenRole.Write)
        {
            return null;
        }

        var write = NewWrite(request) with { Statements = [.. whole.Statements.Select(s => s.Statement)], IsTransaction = true };
        switch (await node.WriteAsync(write, node.RequestTimeout, request.Memory, request.Cancellation).ConfigureAwait(false))
        {
            case WriteResult.Done { Results: var results }:
                var nothing = new HranaOutcome(new(0, 0, null), null);
                return [nothing, .. results.Select(r => new HranaOutcome(r, null)), nothing, .. whole.HasRollback ? [default] : Array.Empty<HranaOutcome>()];
            case WriteResult.NotDone { Failure: { Code: FailureCode.OutcomeUnknown or FailureCode.NoQuorum or FailureCode.Overloaded or FailureCode.Timeout } failure }:
                // The others' steps are not executed either; whoever reads the outcomes in order meets this one first.
                return [HranaFailure.Of(failure), .. Enumerable.Repeat(default(HranaOutcome), whole.Statements.Count + 1 + (whole.HasRollback ? 1 : 0))];
            default:
                return null;
        }
    }

    private async Task<(StatementResult? Result, Failure? Failure)> RunAsync(Statement statement, HranaRequest request)
    {
        var control = TransactionControl.Parse(statement.Sql);
        if (_aborted is { } aborted)
        {
            switch (control?.Verb)
            {
                case TransactionVerb.Rollback:
                    _aborted = null;
                    return Nothing;
                case TransactionVerb.Commit:
                    _aborted = null;
                    return (null, aborted);
                default:
                    return (null, aborted);
            }
        }

        switch (control)
        {
            case { Verb: TransactionVerb.Begin, Mode: var mode }:
                return _transaction is null
                    ? await BeginAsync(mode, request).ConfigureAwait(false)
                    : (null, Error("cannot start a transaction within a transaction"));
            case { Verb: TransactionVerb.Commit }:
                return _transaction is null ? (null, Error("cannot commit - no transaction is active")) : await CommitAsync(request).ConfigureAwait(false);
            case { Verb: TransactionVerb.Rollback }:
                if (_transaction is null)
                {
                    return (null, Error("cannot rollback - no transaction is active"));
                }

                if (_transaction.Loss is { } loss)
                {
                    Reset();
                    return (null, loss);
                }

                Reset();
                return Nothing;
            case { Verb: TransactionVerb.Savepoint } when _transaction is null:
                // SQLite's rule: the outermost savepoint is a transaction, and its release the commit.
                if ((await BeginAsync(TransactionMode.Deferred, request).ConfigureAwait(false)).Failure is { } refusal)
                {
                    return (null, refusal);
                }

                _outerSavepoints = new();
                break;
            case not null when _transaction is null:
                return (null, Error($"no such savepoint: {control.Name}"));
            case null when ForeignKeysPragma.Parse(statement.Sql) is { } pragma:
                return RunPragma(pragma);
        }

        if (_transaction is null)
        {
            return await RunAloneAsync(statement, request).ConfigureAwait(false);
        }

        var outcome = await _transaction.RunAsync(statement, node.RequestTimeout, request.Cancellation).ConfigureAwait(false);
        if (outcome.IsOver)
        {
            Reset();

            // Where SQLite itself has rolled it back (ON CONFLICT ROLLBACK) the client is in autocommit mode, as it would be with SQLite.
            _aborted = outcome.Failure!.Code == FailureCode.Constraint ? null : outcome.Failure;
        }
        else if (control is not null && _outerSavepoints is not null && outcome.Failure is null)
        {
            _outerSavepoints.Apply(control, out _);
            if (_outerSavepoints.Count == 0)
            {
                return await CommitAsync(request).ConfigureAwait(false);
            }
        }

        return (outcome.Result, outcome.Failure);
    }

    private async Task<(StatementResult? Result, Failure? Failure)> BeginAsync(TransactionMode mode, HranaRequest request)
    {
        var transaction = node.OpenTransaction(
            new()
            {
                Database = Database.Value,
                Mode = mode,
                Role = request.Access.Role,
                Client = request.Client,
                Token = request.Access.TokenName,
                WithoutForeignKeys = _withoutForeignKeys,
            },
            out var failure);
        failure ??= await transaction!.BeginAsync(node.RequestTimeout, request.Cancellation).ConfigureAwait(false);
        if (failure is not null)
        {
            return (null, failure);
        }

        _transaction = transaction;
        return Nothing;
    }

    private async Task<(StatementResult? Result, Failure? Failure)> CommitAsync(HranaRequest request)
    {
        var result = await _transaction!.CommitAsync(node.RequestTimeout, request.Cancellation).ConfigureAwait(false);
        if (_transaction.IsOver)
        {
            Reset();
        }

        return result is WriteResult.NotDone { Failure: var failure } ? (null, failure) : Nothing;
    }

    /// <summary>Outside of a transaction a statement is one of its own.</summary>
    private async Task<(StatementResult? Result, Failure? Failure)> RunAloneAsync(Statement statement, HranaRequest request)
    {
        var limits = new ReadLimits(node.RequestTimeout) { RowsMax = long.MaxValue, Memory = request.Memory };
        switch (await node.QueryAsync(Database.Value, statement, isStrong: false, default, limits, request.Cancellation).ConfigureAwait(false))
        {
            case QueryResult.Done { Rows: var rows }:
                if (node.RecordsReads)
                {
                    node.RecordRead(request.Client, request.Access.TokenName, Database.Value, statement.Sql);
                }

                return request.Access.Recheck?.Invoke() is { } refusal ? (null, refusal) : (new(0, 0, rows), null);
            case QueryResult.NotDone { Failure: { Code: not FailureCode.SqlError } failure }:
                return (null, failure);
            case QueryResult.NotDone { Failure: var failure } when WholeTransaction.LooksLikeRead(statement.Sql):
                return (null, failure);
        }

        // It writes; or it does not go with this node's content, and may with the leader's, which others have changed.
        if (request.Access.Role < TokenRole.Write)
        {
            return (null, TokenRoles.Refusal("To write", TokenRole.Write, request.Access.Role));
        }

        var write = NewWrite(request) with { Statements = [statement] };
        return await node.WriteAsync(write, node.RequestTimeout, request.Memory, request.Cancellation).ConfigureAwait(false) switch
        {
            WriteResult.Done { Results: var results } => (results[0], null),
            WriteResult.NotDone { Failure: var failure } => (null, AccessControl.Explain(failure, request.ShownToken, request.Access.Recheck?.Invoke())),
            var result => throw new System.Diagnostics.UnreachableException(result.GetType().Name),
        };
    }

    private WriteCommand NewWrite(HranaRequest request) => new()
    {
        Database = Database.Value,
        Role = request.Access.Role,
        Client = request.Client,
        Token = request.Access.TokenName,
        WithoutForeignKeys = _withoutForeignKeys,
    };

    private (StatementResult? Result, Failure? Failure) RunPragma(ForeignKeysPragma pragma)
    {
        if (pragma.Value is { } isOn)
        {
            // Within a transaction it does nothing, as in SQLite.
            _withoutForeignKeys = IsAutocommit ? !isOn : _withoutForeignKeys;
            return Nothing;
        }

        var value = !_withoutForeignKeys && node.HasForeignKeys(Database.Value);
        return (new(0, 0, new(["foreign_keys"], ["INTEGER"], [[SqlValue.From(value ? 1 : 0)]]) { Declared = [null] }), null);
    }

    private static Failure Error(string message) => new(FailureCode.SqlError, message, SqliteErrors.Error);

    private static (StatementResult? Result, Failure? Failure) Nothing => (new(0, 0, null), null);
}
