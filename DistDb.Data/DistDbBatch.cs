using System.Data;
using System.Data.Common;

namespace DistDb.Data;

/// <summary>Commands that are sent together, and done all or nothing: one write, one entry of the log. If all of them only read, they are sent one after the other as their rows are wanted.</summary>
public sealed class DistDbBatch : DbBatch
{
    private int _timeout = 30;
    private CancellationTokenSource? _executing;

    /// <summary>One without connection and commands.</summary>
    public DistDbBatch()
    {
    }

    /// <summary>One of a connection.</summary>
    public DistDbBatch(DistDbConnection connection, DistDbTransaction? transaction = null) => (Connection, Transaction, _timeout) = (connection, transaction, connection.DefaultTimeout);

    /// <summary>The commands.</summary>
    public new DistDbBatchCommandCollection BatchCommands { get; } = new();

    /// <summary>The connection.</summary>
    public new DistDbConnection? Connection { get; set; }

    /// <summary>The transaction; the connection's open one, if it has one.</summary>
    public new DistDbTransaction? Transaction { get; set; }

    /// <summary>Seconds within which it is answered, all tries at all nodes together; 0 for no limit but the node's own.</summary>
    public override int Timeout
    {
        get => _timeout;
        set => _timeout = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A timeout is 0 or more seconds.");
    }

    /// <inheritdoc/>
    protected override DbBatchCommandCollection DbBatchCommands => BatchCommands;

    /// <inheritdoc/>
    protected override DbConnection? DbConnection
    {
        get => Connection;
        set => Connection = (DistDbConnection?)value;
    }

    /// <inheritdoc/>
    protected override DbTransaction? DbTransaction
    {
        get => Transaction;
        set => Transaction = (DistDbTransaction?)value;
    }

    /// <summary>Ends what is being executed, with an <see cref="OperationCanceledException"/> there. Whether writes were done is not known then.</summary>
    public override void Cancel() => DistDbDataReader.Cancel(_executing);

    /// <summary>Without effect: nodes keep statements prepared by themselves.</summary>
    public override void Prepare()
    {
    }

    /// <inheritdoc/>
    public override Task PrepareAsync(CancellationToken cancellationToken = default) => Task.CompletedTask;

    /// <inheritdoc cref="ExecuteNonQueryAsync"/>
    public override int ExecuteNonQuery() => ExecuteNonQueryAsync().GetAwaiter().GetResult();

    /// <summary>Executes all commands.</summary>
    /// <returns>How many rows were changed; -1 where all commands only read.</returns>
    /// <exception cref="DistDbException">A command was refused, and then none of them is done; or no node answered.</exception>
    public override async Task<int> ExecuteNonQueryAsync(CancellationToken cancellationToken = default)
    {
        var reader = await OpenAsync(CommandBehavior.Default, cancellationToken).ConfigureAwait(false);
        return await reader.CountAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc cref="ExecuteScalarAsync"/>
    public override object? ExecuteScalar() => ExecuteScalarAsync().GetAwaiter().GetResult();

    /// <summary>Executes all commands.</summary>
    /// <returns>The first value of the first row of the first result; null where there is no row.</returns>
    /// <exception cref="DistDbException">A command was refused, and then none of them is done; or no node answered.</exception>
    public override async Task<object?> ExecuteScalarAsync(CancellationToken cancellationToken = default)
    {
        var reader = await OpenAsync(CommandBehavior.Default, cancellationToken).ConfigureAwait(false);
        return await reader.FirstAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override DbBatchCommand CreateDbBatchCommand() => new DistDbBatchCommand();

    /// <inheritdoc/>
    protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior) => OpenAsync(behavior, CancellationToken.None).GetAwaiter().GetResult();

    /// <inheritdoc/>
    protected override async Task<DbDataReader> ExecuteDbDataReaderAsync(CommandBehavior behavior, CancellationToken cancellationToken) =>
        await OpenAsync(behavior, cancellationToken).ConfigureAwait(false);

    private async Task<DistDbDataReader> OpenAsync(CommandBehavior behavior, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var owners = new List<DistDbBatchCommand>();
        var statements = new List<BoundStatement>();
        foreach (var command in BatchCommands.All)
        {
            command.Affected = -1;
            var bound = BoundStatement.Of(command.CommandText, command.Parameters.All);
            statements.AddRange(bound);
            owners.AddRange(bound.Select(_ => command));
        }

        var execution = Execution.Begin(Connection, Transaction, statements, Timeout);
        execution.Executed = (place, affected) => owners[place].Affected = Math.Max(owners[place].Affected, 0) + affected;
        var cancel = _executing = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            return await DistDbDataReader.OpenAsync(execution, Connection!, behavior, cancel).ConfigureAwait(false);
        }
        catch (DistDbException e) when (e.Statement < owners.Count)
        {
            e.BatchCommand = owners[e.Statement.Value];
            throw;
        }
    }
}
