using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace DistDb.Data;

/// <summary>
/// A connection to a cluster. It is cheap to make and holds no socket of its own: all connections of a process share the HTTP connections to the nodes, know which node serves, and read at any node
/// at least what the process has seen before. Commands on several threads at once are possible outside of transactions.
/// </summary>
public sealed class DistDbConnection : DbConnection
{
    /// <summary>The most seconds that opening waits for the first node to answer.</summary>
    private const int OpenSecondsMax = 15;

    private DistDbConnectionStringBuilder _settings = [];
    private string _connectionString = "";
    private string _database = "main";
    private Cluster? _cluster;
    private ConnectionState _state;

    /// <summary>One to <c>http://localhost:8080</c>, unless the <see cref="ConnectionString"/> is set.</summary>
    public DistDbConnection()
    {
    }

    /// <summary>One of a connection string (see <see cref="DistDbConnectionStringBuilder"/>).</summary>
    /// <exception cref="ArgumentException">The connection string is wrong.</exception>
    public DistDbConnection(string? connectionString) => ConnectionString = connectionString;

    /// <summary>What it connects to. Without the token, once it was opened.</summary>
    /// <exception cref="InvalidOperationException">It is set while the connection is open.</exception>
    [AllowNull]
    public override string ConnectionString
    {
        get => _connectionString;
        set
        {
            if (_state != ConnectionState.Closed)
            {
                throw new InvalidOperationException("The connection string can be set only while the connection is closed.");
            }

            _settings = new(value);
            _connectionString = value ?? "";
            _database = _settings.Database;
            _cluster = null;
        }
    }

    /// <inheritdoc/>
    public override string Database => _database;

    /// <summary>The address of the node that serves at present; the first one before anything was asked.</summary>
    public override string DataSource => (_cluster?.Current ?? _settings.ServerAddresses[0]).GetLeftPart(UriPartial.Authority);

    /// <summary>The version of DistDb that the node runs which was asked first.</summary>
    /// <exception cref="InvalidOperationException">The connection is closed.</exception>
    public override string ServerVersion => Cluster.ServerVersion ?? "";

    /// <inheritdoc/>
    public override ConnectionState State => _state;

    /// <summary>The most seconds that opening waits, when this is the process's first connection to these servers.</summary>
    public override int ConnectionTimeout => _settings.CommandTimeout is > 0 and < OpenSecondsMax and var seconds ? seconds : OpenSecondsMax;

    /// <summary>The <see cref="DbCommand.CommandTimeout"/> of new commands, in seconds; 0 for no limit. The connection string's, unless it is set.</summary>
    public int DefaultTimeout
    {
        get => field < 0 ? _settings.CommandTimeout : field;
        set => field = value >= 0 ? value : throw new ArgumentOutOfRangeException(nameof(value), value, "A timeout is 0 or more seconds.");
    } = -1;

    /// <summary>What reads outside of transactions see. The connection string's, unless it is set.</summary>
    public DistDbConsistency Consistency
    {
        get => _consistency ?? _settings.Consistency;
        set => _consistency = value;
    }

    private DistDbConsistency? _consistency;

    /// <inheritdoc/>
    public override bool CanCreateBatch => true;

    /// <inheritdoc/>
    protected override DbProviderFactory DbProviderFactory => DistDbProviderFactory.Instance;

    /// <summary>The transaction that is open, or null.</summary>
    internal DistDbTransaction? Transaction { get; set; }

    /// <exception cref="InvalidOperationException">The connection is closed.</exception>
    internal Cluster Cluster => _state == ConnectionState.Open ? _cluster! : throw new InvalidOperationException("The connection is closed. Open it first.");

    /// <inheritdoc cref="OpenAsync"/>
    public override void Open() => OpenAsync(CancellationToken.None).GetAwaiter().GetResult();

    /// <summary>Opens the connection. The process's first to these servers asks one of them whether it is there; others cost nothing.</summary>
    /// <exception cref="DistDbException">No node answers, or the token is not good.</exception>
    /// <exception cref="ArgumentException">The file of CAs cannot be read.</exception>
    /// <exception cref="InvalidOperationException">It is open already.</exception>
    public override async Task OpenAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_state != ConnectionState.Closed)
        {
            throw new InvalidOperationException("The connection is open already.");
        }

        var cluster = _cluster ??= Cluster.Of(_settings);
        if (cluster.ServerVersion is null)
        {
            var status = new Ask("/status") { MayWrite = false, Timeout = TimeSpan.FromSeconds(ConnectionTimeout) };
            cluster.ServerVersion = await cluster.AskAsync(
                status,
                async (_, response, patience) =>
                {
                    using (response)
                    {
                        var body = await response.Content.ReadAsByteArrayAsync(patience).ConfigureAwait(false);
                        using var json = JsonDocument.Parse(body);
                        return json.RootElement.TryGetProperty("versions", out var versions) && versions.TryGetProperty("distdb", out var version)
                            ? version.GetString() ?? ""
                            : throw new FormatException("A status has versions.");
                    }
                },
                cancellationToken).ConfigureAwait(false);
        }

        if (_settings.Token is not null)
        {
            var shown = new DistDbConnectionStringBuilder(_connectionString) { Token = null };
            _connectionString = shown.ConnectionString;
        }

        SetState(ConnectionState.Open);
    }

    /// <inheritdoc cref="CloseAsync"/>
    public override void Close() => CloseAsync().GetAwaiter().GetResult();

    /// <summary>Closes the connection; a transaction that is open is rolled back.</summary>
    public override async Task CloseAsync()
    {
        if (_state == ConnectionState.Closed)
        {
            return;
        }

        if (Transaction is { } transaction)
        {
            await transaction.DisposeAsync().ConfigureAwait(false);
        }

        SetState(ConnectionState.Closed);
    }

    /// <summary>Names the database of the commands to come. Nobody is asked whether it is there.</summary>
    /// <exception cref="InvalidOperationException">A transaction is open.</exception>
    public override void ChangeDatabase(string databaseName)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(databaseName);
        _database = Transaction is null ? databaseName : throw new InvalidOperationException("A transaction is in one database: commit or roll it back before another is used.");
    }

    /// <summary>Begins a transaction that waits for its turn to write.</summary>
    /// <exception cref="DistDbException">No node answers, or the turn did not come in time.</exception>
    public new DistDbTransaction BeginTransaction() => Wait(BeginAsync(DistDbTransactionMode.Immediate, CancellationToken.None));

    /// <inheritdoc cref="BeginTransaction()"/>
    /// <param name="isolationLevel">Whatever it is, the transaction is serializable.</param>
    public new DistDbTransaction BeginTransaction(IsolationLevel isolationLevel) => Wait(BeginAsync(isolationLevel, CancellationToken.None));

    /// <summary>Begins a transaction.</summary>
    /// <param name="deferred">Whether it only reads until its first write, and waits for its turn then. Where others have written in between, that write fails with <c>busy</c>.</param>
    /// <exception cref="DistDbException">No node answers, or the turn did not come in time.</exception>
    public DistDbTransaction BeginTransaction(bool deferred) => BeginTransaction(deferred ? DistDbTransactionMode.Deferred : DistDbTransactionMode.Immediate);

    /// <inheritdoc cref="BeginTransaction()"/>
    /// <param name="mode">What it may do, and when it waits.</param>
    public DistDbTransaction BeginTransaction(DistDbTransactionMode mode) => Wait(BeginAsync(mode, CancellationToken.None));

    /// <inheritdoc cref="BeginTransaction(DistDbTransactionMode)"/>
    /// <param name="mode">What it may do, and when it waits.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public ValueTask<DistDbTransaction> BeginTransactionAsync(DistDbTransactionMode mode, CancellationToken cancellationToken = default) => BeginAsync(mode, cancellationToken);

    /// <inheritdoc cref="DbConnection.CreateCommand"/>
    public new DistDbCommand CreateCommand() => new() { Connection = this, CommandTimeout = DefaultTimeout, Transaction = Transaction };

    /// <inheritdoc cref="DbConnection.CreateBatch"/>
    public new DistDbBatch CreateBatch() => new() { Connection = this, Timeout = DefaultTimeout, Transaction = Transaction };

    /// <inheritdoc/>
    public override DataTable GetSchema() => GetSchema(DbMetaDataCollectionNames.MetaDataCollections);

    /// <inheritdoc/>
    public override DataTable GetSchema(string collectionName) => GetSchema(collectionName, []);

    /// <summary>What is defined: <c>MetaDataCollections</c>, <c>Tables</c> (restrictions: catalog, schema, table, type), <c>Columns</c> (catalog, schema, table, column).</summary>
    /// <exception cref="ArgumentException">The collection is another.</exception>
    public override DataTable GetSchema(string collectionName, string?[] restrictionValues) => SchemaCollections.Get(this, collectionName, restrictionValues);

    /// <inheritdoc/>
    protected override DbCommand CreateDbCommand() => CreateCommand();

    /// <inheritdoc/>
    protected override DbBatch CreateDbBatch() => CreateBatch();

    /// <inheritdoc/>
    protected override DbTransaction BeginDbTransaction(IsolationLevel isolationLevel) => BeginTransaction(isolationLevel);

    /// <inheritdoc/>
    protected override async ValueTask<DbTransaction> BeginDbTransactionAsync(IsolationLevel isolationLevel, CancellationToken cancellationToken) =>
        await BeginAsync(isolationLevel, cancellationToken).ConfigureAwait(false);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            Close();
        }

        base.Dispose(disposing);
    }

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await CloseAsync().ConfigureAwait(false);
        await base.DisposeAsync().ConfigureAwait(false);
    }

    internal static TimeSpan ToTimeout(int seconds) => seconds == 0 ? Timeout.InfiniteTimeSpan : TimeSpan.FromSeconds(seconds);

    private ValueTask<DistDbTransaction> BeginAsync(IsolationLevel level, CancellationToken cancellation) => level is IsolationLevel.Chaos or IsolationLevel.Snapshot
        ? throw new ArgumentException($"There is no isolation level {level}: transactions are serializable. For one that only reads, begin it with {nameof(DistDbTransactionMode)}.{nameof(DistDbTransactionMode.ReadOnly)}.", nameof(level))
        : BeginAsync(DistDbTransactionMode.Immediate, cancellation);

    private ValueTask<DistDbTransaction> BeginAsync(DistDbTransactionMode mode, CancellationToken cancellation) =>
        Transaction is null ? DistDbTransaction.BeginAsync(this, mode, cancellation) : throw new InvalidOperationException("A connection has one transaction at a time. Commit or roll back the other first, or use a savepoint (Save).");

    private static DistDbTransaction Wait(ValueTask<DistDbTransaction> task) => task.AsTask().GetAwaiter().GetResult();

    private void SetState(ConnectionState state)
    {
        var was = _state;
        _state = state;
        OnStateChange(new(was, state));
    }
}
