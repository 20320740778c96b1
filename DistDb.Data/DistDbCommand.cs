using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;

namespace DistDb.Data;

/// <summary>
/// SQL with values. Several statements, with semicolons between them, are done all or nothing, as one write, unless all of them only read. A write is sent under an id, so that it is done once, however often it must be sent
/// until a node answers.
/// </summary>
public sealed class DistDbCommand : DbCommand
{
    private string _text = "";
    private int _timeout = 30;
    private CancellationTokenSource? _executing;

    /// <summary>One without text and connection.</summary>
    public DistDbCommand()
    {
    }

    /// <summary>One of a text.</summary>
    public DistDbCommand(string? commandText, DistDbConnection? connection = null, DistDbTransaction? transaction = null)
    {
        (_text, Connection, Transaction) = (commandText ?? "", connection, transaction);
        _timeout = connection?.DefaultTimeout ?? _timeout;
    }

    /// <inheritdoc/>
    [AllowNull]
    public override string CommandText
    {
        get => _text;
        set => _text = value ?? "";
    }

    /// <summary>Seconds within which it is answered, all tries at all nodes together; 0 for no limit but the node's own.</summary>
    public override int CommandTimeout
    {
        get => _timeout;
        set => _timeout = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A timeout is 0 or more seconds.");
    }

    /// <summary>Always <see cref="CommandType.Text"/>.</summary>
    /// <exception cref="ArgumentException">Another is set.</exception>
    public override CommandType CommandType
    {
        get => CommandType.Text;
        set
        {
            if (value != CommandType.Text)
            {
                throw new ArgumentException($"SQLite knows no {value}, only {CommandType.Text}.", nameof(value));
            }
        }
    }

    /// <summary>The connection.</summary>
    public new DistDbConnection? Connection { get; set; }

    /// <summary>The transaction; the connection's open one, if it has one.</summary>
    public new DistDbTransaction? Transaction { get; set; }

    /// <summary>The values.</summary>
    public new DistDbParameterCollection Parameters { get; } = new();

    /// <inheritdoc/>
    public override bool DesignTimeVisible { get; set; }

    /// <inheritdoc/>
    public override UpdateRowSource UpdatedRowSource { get; set; }

    /// <inheritdoc/>
    protected override DbConnection? DbConnection
    {
        get => Connection;
        set => Connection = (DistDbConnection?)value;
    }

    /// <inheritdoc/>
    protected override DbParameterCollection DbParameterCollection => Parameters;

    /// <inheritdoc/>
    protected override DbTransaction? DbTransaction
    {
        get => Transaction;
        set => Transaction = (DistDbTransaction?)value;
    }

    /// <summary>Ends what is being executed, with an <see cref="OperationCanceledException"/> there. Whether a write was done is not known then.</summary>
    public override void Cancel() => DistDbDataReader.Cancel(_executing);

    /// <summary>Without effect: nodes keep statements prepared by themselves.</summary>
    public override void Prepare()
    {
    }

    /// <inheritdoc cref="ExecuteNonQueryAsync"/>
    public override int ExecuteNonQuery() => ExecuteNonQueryAsync(CancellationToken.None).GetAwaiter().GetResult();

    /// <summary>Executes all statements.</summary>
    /// <returns>How many rows were changed; -1 where all statements only read.</returns>
    /// <exception cref="DistDbException">A node refused, or no node answered.</exception>
    /// <exception cref="InvalidOperationException">A value is missing, or the connection is closed; nothing was sent.</exception>
    public override async Task<int> ExecuteNonQueryAsync(CancellationToken cancellationToken)
    {
        var reader = await ExecuteReaderAsync(CommandBehavior.Default, cancellationToken).ConfigureAwait(false);
        return await reader.CountAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc cref="ExecuteScalarAsync"/>
    public override object? ExecuteScalar() => ExecuteScalarAsync(CancellationToken.None).GetAwaiter().GetResult();

    /// <summary>Executes all statements.</summary>
    /// <returns>The first value of the first row of the first result; null where there is no row.</returns>
    /// <exception cref="DistDbException">A node refused, or no node answered.</exception>
    /// <exception cref="InvalidOperationException">A value is missing, or the connection is closed; nothing was sent.</exception>
    public override async Task<object?> ExecuteScalarAsync(CancellationToken cancellationToken)
    {
        var reader = await ExecuteReaderAsync(CommandBehavior.Default, cancellationToken).ConfigureAwait(false);
        return await reader.FirstAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc cref="ExecuteReaderAsync(CommandBehavior, CancellationToken)"/>
    public new DistDbDataReader ExecuteReader() => ExecuteReader(CommandBehavior.Default);

    /// <inheritdoc cref="ExecuteReaderAsync(CommandBehavior, CancellationToken)"/>
    public new DistDbDataReader ExecuteReader(CommandBehavior behavior) => ExecuteReaderAsync(behavior, CancellationToken.None).GetAwaiter().GetResult();

    /// <inheritdoc cref="ExecuteReaderAsync(CommandBehavior, CancellationToken)"/>
    public new Task<DistDbDataReader> ExecuteReaderAsync(CancellationToken cancellationToken = default) => ExecuteReaderAsync(CommandBehavior.Default, cancellationToken);

    /// <summary>Executes the statements up to the first that has columns, whose rows come as they are read.</summary>
    /// <exception cref="DistDbException">A node refused, or no node answered.</exception>
    /// <exception cref="InvalidOperationException">A value is missing, or the connection is closed; nothing was sent.</exception>
    public new async Task<DistDbDataReader> ExecuteReaderAsync(CommandBehavior behavior, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var statements = BoundStatement.Of(CommandText, Parameters.All);
        if (behavior.HasFlag(CommandBehavior.SchemaOnly))
        {
            statements = [.. statements.Select(statement => statement.WithoutRows()).OfType<BoundStatement>()];
        }

        var execution = Execution.Begin(Connection, Transaction, statements, CommandTimeout);
        var cancel = _executing = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        return await DistDbDataReader.OpenAsync(execution, Connection!, behavior, cancel).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    protected override DbParameter CreateDbParameter() => new DistDbParameter();

    /// <inheritdoc/>
    protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior) => ExecuteReader(behavior);

    /// <inheritdoc/>
    protected override async Task<DbDataReader> ExecuteDbDataReaderAsync(CommandBehavior behavior, CancellationToken cancellationToken) =>
        await ExecuteReaderAsync(behavior, cancellationToken).ConfigureAwait(false);
}
