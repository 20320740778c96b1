using DistDb.Node.Commands;
using DistDb.Node.Database.Changes;

namespace DistDb.Node.Database;

/// <summary>
/// The one connection that changes a database file. The replication loop owns it, on one thread at a time, and uses it in turns of
/// <see cref="Begin"/>, some <see cref="Execute"/> (leader) or <see cref="Replay"/> (everybody else), and <see cref="Commit"/> or
/// <see cref="Rollback"/>; each turn is one log entry.
/// <para>
/// What a write does depends on the content, the write, the entry's stamp and nothing else. So before each write the clock and the
/// random numbers are set from the stamp, and <c>last_insert_rowid()</c> and <c>changes()</c>, which outlive a rollback but not a
/// restart, are set to 0 and 1. Each write has its own savepoint, at the leader and at replicas alike, because full-text indexes flush
/// to their tables at savepoints.
/// </para>
/// <para>
/// Between entries it keeps the file's write lock, so that no other program changes what replicas must agree on; it lets go of it for as
/// long as a commit or a checkpoint takes, and finds out when it has it again whether anybody used that moment.
/// </para>
/// </summary>
public sealed partial class DatabaseWriter : IDisposable
{
    /// <summary>The last instant that SQLite's date functions know: the end of the year 9999.</summary>
    internal const long TimeMsMax = 253_402_300_799_999;

    private readonly Connection _connection;
    private readonly DatabaseOptions _options;
    private readonly StatementCache _statements;
    private readonly StatementRunner _runner;
    private readonly RequestLedger _ledger;
    private readonly TokenTable _tokens;
    private readonly ChangeCapture _changes;
    private readonly ChangeLog _changeLog;
    private readonly InternalStatement _readSchemaVersion;
    private readonly InternalStatement _begin;
    private readonly InternalStatement _commit;
    private readonly InternalStatement _rollback;
    private readonly InternalStatement _savepoint;
    private readonly InternalStatement _release;
    private readonly InternalStatement _rollbackTo;
    private readonly InternalStatement _pin;
    private readonly InternalStatement _pinNothing;
    private readonly InternalStatement _step;
    private readonly InternalStatement _releaseStep;
    private readonly InternalStatement _rollbackToStep;
    private readonly InternalStatement _readState;
    private readonly InternalStatement _storeApplied;
    private readonly InternalStatement _findIntruder;
    private readonly InternalStatement _readDataVersion;

    private readonly List<StatementSummary> _summaries = [];

    private EntryStamp _stamp;
    private long? _dataVersion;
    private bool _begun;
    private bool _tokensTouched;
    private bool _schemaTouchedByWrite;
    private bool _schemaTouchedByEntry;
    private ChangeCapture.Position _writeMark;

    private readonly bool _foreignKeys;

    private DatabaseWriter(Connection connection, DatabaseOptions options, bool keepsHistory, bool foreignKeys)
    {
        _foreignKeys = foreignKeys;
        _connection = connection;
        _options = options;
        if (keepsHistory)
        {
            connection.OwnSchema = [.. InternalSchema.Create, .. QueryHistory.Create];
        }

        foreach (var sql in connection.OwnSchema)
        {
            connection.RunInternal(sql);
        }

        _statements = new(connection, options.StatementCacheSize);
        _runner = new(connection);
        _ledger = new(connection);
        Registry = new(connection);
        History = keepsHistory ? new(connection) : null;
        _tokens = new(connection);
        _changes = new(connection);
        _changeLog = new(connection, _changes);
        _readSchemaVersion = connection.CreateInternal("PRAGMA schema_version");
        _begin = connection.CreateInternal("BEGIN IMMEDIATE");
        _commit = connection.CreateInternal("COMMIT");
        _rollback = connection.CreateInternal("ROLLBACK");
        _savepoint = connection.CreateInternal("SAVEPOINT write");
        _release = connection.CreateInternal("RELEASE write");
        _rollbackTo = connection.CreateInternal("ROLLBACK TO write");
        _pin = connection.CreateInternal("UPDATE _distdb_state SET pin = 0");
        _pinNothing = connection.CreateInternal("UPDATE _distdb_state SET pin = 0 WHERE 0");
        _step = connection.CreateInternal("SAVEPOINT step");
        _releaseStep = connection.CreateInternal("RELEASE step");
        _rollbackToStep = connection.CreateInternal("ROLLBACK TO step");
        _readState = connection.CreateInternal("SELECT applied_index, time_ms, cluster_id, master_node FROM _distdb_state");
        _storeApplied = connection.CreateInternal("UPDATE _distdb_state SET applied_index = ?1, time_ms = ?2");
        _findIntruder = connection.CreateInternal(InternalSchema.FindIntruder);
        _readDataVersion = connection.CreateInternal("PRAGMA data_version");
        Lock();
        ReadState();
        Tokens = new(_tokens.Read());
    }

    /// <summary>The file.</summary>
    public string Path => _connection.Path;

    /// <summary>The log entry that the content is at: all up to it and none after it, as of the last commit.</summary>
    public long AppliedIndex { get; private set; }

    /// <summary>That entry's time.</summary>
    public long AppliedTimeMs { get; private set; }

    /// <summary>The cluster that the content belongs to, or null before its first entry; as of the last commit.</summary>
    public Guid? ClusterId { get; private set; }

    /// <summary>The node that may change the schema; as of the last commit.</summary>
    public int MasterNode { get; private set; }

    /// <summary>Of <c>main</c>: who is let in; as of the last commit.</summary>
    public TokenSet Tokens { get; private set; }

    /// <summary>
    /// True when SQLite has rolled the whole entry back by itself, the writes before the failed one included: a time limit that struck
    /// within a change, <c>ON CONFLICT ROLLBACK</c>, <c>RAISE(ROLLBACK)</c>. The caller calls <see cref="Rollback"/> and executes the
    /// entry again without the culprit.
    /// </summary>
    public bool TransactionLost => _begun && !_connection.InTransaction;

    /// <summary>Whether the last commit has something for those who follow the database's changes.</summary>
    internal bool HasNews => _changeLog.HasNews;

    /// <summary>Of <c>main</c>: the other databases.</summary>
    internal DatabaseRegistry Registry { get; }

    /// <summary>Of the query history: its rows.</summary>
    internal QueryHistory? History { get; }

    /// <summary>Whether an entry is open.</summary>
    internal bool IsBegun => _begun;

    /// <summary>Opens a database file, or creates it; the file stays a plain SQLite database.</summary>
    /// <exception cref="StorageFailedException">The file cannot be opened, or is not a database.</exception>
    /// <param name="path">The file.</param>
    /// <param name="options">Settings.</param>
    /// <param name="keepsHistory">Whether it is the query history.</param>
    /// <param name="foreignKeys">Whether foreign keys are enforced. What a write does depends on it, so it is the same for a database at all times and on all replicas.</param>
    public static DatabaseWriter Open(string path, DatabaseOptions options, bool keepsHistory = false, bool foreignKeys = true)
    {
        var connection = Connection.OpenWriter(path, foreignKeys);
        try
        {
            return new(connection, options, keepsHistory, foreignKeys);
        }
        catch
        {
            // Closing waits for the statements prepared so far to be finalized, which only the process's end would do.
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Opens the transaction of one log entry.</summary>
    /// <exception cref="InvalidOperationException">One is open.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The entry is applied already, or its time is out of range.</exception>
    /// <exception cref="ReplicaDivergedException">Another program has changed the file.</exception>
    /// <exception cref="StorageFailedException">Another process has locked the file, or the storage failed.</exception>
    public void Begin(EntryStamp stamp)
    {
        if (_begun)
        {
            throw new InvalidOperationException($"Entry {_stamp.Index} is still open.");
        }

        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(stamp.Index, AppliedIndex, nameof(stamp));
        ArgumentOutOfRangeException.ThrowIfNegative(stamp.TimeMs, nameof(stamp));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(stamp.TimeMs, TimeMsMax, nameof(stamp));
        Suspend();
        if (!_connection.InTransaction)
        {
            // SQLite has let go of it by itself, with a transaction that it rolled back.
            Lock();
        }

        if (_connection.HasMoved)
        {
            throw new ReplicaDivergedException($"The database file {_connection.Path} was deleted or replaced while this node was running it.");
        }

        _stamp = stamp;
        _begun = true;
        BeginChanges();
    }

    /// <summary>Leader: executes one client's write, which either succeeds as a whole or leaves no trace.</summary>
    /// <param name="command">The write.</param>
    /// <param name="ordinal">How many writes of this entry have succeeded before: its place in the entry, should it succeed.</param>
    /// <param name="rights">What its sender may do.</param>
    /// <param name="limit">Time for all its statements together, or <see cref="Timeout.InfiniteTimeSpan"/>.</param>
    /// <exception cref="InvalidOperationException">No entry is open, or it was lost.</exception>
    /// <exception cref="StorageFailedException">The storage failed: the node must stop.</exception>
    public WriteOutcome Execute(WriteCommand command, int ordinal, WriteRights rights, TimeSpan limit)
    {
        RequireEntry();
        if (command.Operation is { } operation)
        {
            return ExecuteOperation(command, operation, ordinal, rights);
        }

        if (command.Statements.Count == 0)
        {
            return new WriteOutcome.Failed(new(FailureCode.BadRequest, "The write has no statement."));
        }

        if (!command.IsTransaction && command.Statements.Count > 1)
        {
            return new WriteOutcome.Failed(new(
                FailureCode.BadRequest, "Several statements must be sent as a \"transaction\", which does all of them or none."));
        }

        if (FindRequest(command) is { } known)
        {
            return known is WriteOutcome.Remembered { Results: var remembered } && RowCollector.BytesOf(remembered) is var size && size > rights.ResultBytesMax
                ? new WriteOutcome.Failed(NoMemorySetApart(size))
                : known;
        }

        StartWrite(ordinal, command.IdempotencyKey);
        _runner.ResultBytesLeft = _options.ResultBytesMax;
        _runner.KeptBytesLeft = rights.ResultBytesMax;
        _connection.Limit.Set(limit, CancellationToken.None);
        var results = new StatementResult[command.Statements.Count];
        var failure = RunStatements(command, rights, collectRows: command.Interactive is null, results)
            ?? (_runner.KeptBytesLeft < 0 ? NoMemorySetApart(rights.ResultBytesMax - _runner.KeptBytesLeft) : null);
        if (failure is not null)
        {
            FinishWrite(succeeded: false);
            return new WriteOutcome.Failed(failure);
        }

        var observation = Observe(results);
        if (rights.Expected is { } expected && expected != observation)
        {
            FinishWrite(succeeded: false);
            return new WriteOutcome.Failed(Irreproducible);
        }

        if (Remember(command, command.Interactive is null ? results : [], DatabaseOptions.RememberedBytesMax) is { } tooLarge)
        {
            FinishWrite(succeeded: false);
            return new WriteOutcome.Failed(tooLarge);
        }

        FinishWrite(succeeded: true);
        return new WriteOutcome.Succeeded(results, observation) { Summary = StatementSummary.Of(_summaries) };
    }

    /// <summary>Executes a write from the log.</summary>
    /// <param name="write">The write, with what the leader observed.</param>
    /// <param name="ordinal">Its place in the entry, from 0.</param>
    /// <param name="collectRows">False to leave the rows of its results out, where nobody waits for them.</param>
    /// <exception cref="ObservationDifferedException">It fails here, or does something else than it did at the leader; the caller rolls back.</exception>
    /// <exception cref="InvalidOperationException">No entry is open.</exception>
    /// <exception cref="StorageFailedException">The storage failed: the node must stop.</exception>
    public IReadOnlyList<StatementResult> Replay(LoggedWrite write, int ordinal, bool collectRows)
    {
        switch (ReplayOverruling(write, ordinal, collectRows))
        {
            case WriteOutcome.Succeeded { Observation: var observation, Results: var results } when observation == write.Observation:
                return results;
            case WriteOutcome.Succeeded { Observation: var observation }:
                throw Differed(
                    ordinal,
                    $"the leader changed {write.Observation.RowsAffected} rows with last id {write.Observation.LastInsertId}, " +
                    $"this node {observation.RowsAffected} rows with last id {observation.LastInsertId}",
                    ObservationDigest.Of(ordinal, observation));
            case WriteOutcome.Failed { Failure: var failure }:
                throw Differed(
                    ordinal, $"the leader executed it, but here it failed: {failure.Detail}", ObservationDigest.Of(ordinal, failure));
            case var outcome:
                throw new System.Diagnostics.UnreachableException(outcome.GetType().Name);
        }
    }

    /// <summary>
    /// Executes a write from the log as this node's content has it, whatever the leader recorded. One that fails leaves no trace; where SQLite
    /// rolled back the entry with it (<see cref="TransactionLost"/>), the caller begins the entry again without that write.
    /// </summary>
    /// <param name="write">The write.</param>
    /// <param name="ordinal">Its place in the entry, from 0.</param>
    /// <param name="collectRows">False to leave the rows of its results out, where nobody waits for them.</param>
    /// <returns>Succeeded or failed.</returns>
    /// <exception cref="InvalidOperationException">No entry is open, or it was lost.</exception>
    /// <exception cref="StorageFailedException">The storage failed: the node must stop.</exception>
    public WriteOutcome ReplayOverruling(LoggedWrite write, int ordinal, bool collectRows)
    {
        RequireEntry();
        var command = write.Command;
        if (command.Operation is { } operation)
        {
            return ExecuteOperation(command, operation, ordinal, new(MaySchema: true)) is WriteOutcome.Failed refused
                ? refused
                : new WriteOutcome.Succeeded([], write.Observation);
        }

        StartWrite(ordinal, command.IdempotencyKey);
        _runner.ResultBytesLeft = _runner.KeptBytesLeft = long.MaxValue;
        _connection.Limit.Clear();
        var results = new StatementResult[command.Statements.Count];

        // What an idempotency key remembers includes the rows.
        var failure = RunStatements(command, new(MaySchema: true), collectRows || command.IdempotencyKey is not null, results);
        if (failure is { SqliteCode: SqliteErrors.Full })
        {
            // The leader had room for it, so this is the disk, though it has room again by now.
            throw _connection.StorageFailed(SqliteErrors.Full);
        }

        if (failure is not null)
        {
            FinishWrite(succeeded: false);
            return new WriteOutcome.Failed(failure);
        }

        var observation = Observe(results);
        _ = Remember(command, command.Interactive is null ? results : [], long.MaxValue);
        FinishWrite(succeeded: true);
        return new WriteOutcome.Succeeded(results, observation);
    }

    /// <summary>Notes, as part of the open entry, that it is executed otherwise than its leader recorded, as a majority observed it.</summary>
    /// <param name="observation">What they observed, as an <see cref="ObservationDifferedException"/> has it.</param>
    /// <exception cref="StorageFailedException">The storage failed: the node must stop.</exception>
    public void SetOverruled(ulong observation)
    {
        RequireEntry();
        using var statement = _connection.CreateInternal("INSERT OR REPLACE INTO _distdb_overruled VALUES (?1, ?2)");
        statement.Bind(1, _stamp.Index).Bind(2, unchecked((long)observation)).Run();
    }

    /// <summary>The entries that are executed here otherwise than their leaders recorded, with what was observed.</summary>
    /// <exception cref="StorageFailedException">The storage failed: the node must stop.</exception>
    public Dictionary<long, ulong> ReadOverruled()
    {
        using var statement = _connection.CreateInternal("SELECT entry, observation FROM _distdb_overruled");
        var overruled = new Dictionary<long, ulong>();
        while (statement.Step())
        {
            overruled.Add(statement.Integer(0), unchecked((ulong)statement.Integer(1)));
        }

        return overruled;
    }

    /// <summary>What is remembered of a write's idempotency key; null where it has none, or a new one.</summary>
    internal WriteOutcome? FindRequest(WriteCommand command) => command.IdempotencyKey is null ? null : _ledger.Find(command, _stamp);

    /// <summary>Remembers the key of a write that another database did, which remembers the results.</summary>
    internal void RememberKey(WriteCommand command) => _ = Remember(command, [], long.MaxValue);

    /// <summary>Stores the cluster's identity, as part of the open entry.</summary>
    /// <exception cref="StorageFailedException">The storage failed: the node must stop.</exception>
    public void SetClusterId(Guid id)
    {
        RequireEntry();
        using var statement = _connection.CreateInternal("UPDATE _distdb_state SET cluster_id = ?1");
        statement.Bind(1, id.ToByteArray()).Run();
    }

    /// <summary>Stores who belongs to the cluster, as part of the open entry, so that a copy of the file tells it.</summary>
    /// <param name="membership">Bytes whose meaning is the log's.</param>
    /// <exception cref="StorageFailedException">The storage failed: the node must stop.</exception>
    public void SetMembership(ReadOnlySpan<byte> membership)
    {
        RequireEntry();
        using var statement = _connection.CreateInternal("UPDATE _distdb_state SET membership = ?1");
        statement.Bind(1, membership).Run();
    }

    /// <summary>
    /// Commits the open entry together with its index. Readers see it at once. It survives the death of this process, but a power loss
    /// may take it back, as a whole: then <see cref="AppliedIndex"/> says after the restart from where the log must be applied again.
    /// </summary>
    /// <exception cref="InvalidOperationException">No entry is open, or it was lost.</exception>
    /// <exception cref="ReplicaDivergedException">It is committed, and then another program changed the file.</exception>
    /// <exception cref="StorageFailedException">The storage failed: the node must stop.</exception>
    public void Commit()
    {
        RequireEntry();
        _changeLog.End(_stamp, isNew: AppliedIndex == 0);
        _storeApplied.Bind(1, _stamp.Index).Bind(2, _stamp.TimeMs).Run();
        _commit.Run();
        _changeLog.Ended(isCommitted: true);
        _begun = false;
        _schemaTouchedByEntry = false;
        AppliedIndex = _stamp.Index;
        Lock();
        ReadState();
        if (_tokensTouched)
        {
            Tokens = new(_tokens.Read());
            _tokensTouched = false;
        }
    }

    /// <summary>Undoes the open entry. Does nothing where none is open; right also where SQLite has undone it by itself.</summary>
    /// <exception cref="ReplicaDivergedException">Another program has changed the file.</exception>
    /// <exception cref="StorageFailedException">The storage failed: the node must stop.</exception>
    public void Rollback()
    {
        if (!_begun)
        {
            return;
        }

        if (_connection.InTransaction)
        {
            _rollback.Run();
        }

        _begun = false;
        _tokensTouched = false;
        _changeLog.Ended(isCommitted: false);
        if (_schemaTouchedByEntry || _schemaTouchedByWrite)
        {
            _statements.Clear();
            _changes.ForgetTables();
            _connection.ForgetSchema();
            _schemaTouchedByEntry = _schemaTouchedByWrite = false;
        }

        Lock();
    }

    /// <summary>Whether there is anything in the database beside the cluster's own tables.</summary>
    /// <exception cref="StorageFailedException">The storage failed: the node must stop.</exception>
    internal bool HasContent()
    {
        using var find = _connection.CreateInternal(
            $"SELECT 1 FROM sqlite_master WHERE substr(name, 1, 8) <> '{InternalSchema.Prefix}' AND substr(tbl_name, 1, 8) <> '{InternalSchema.Prefix}' LIMIT 1");
        return find.Step();
    }

    /// <summary>Whether there is a table of that name.</summary>
    /// <exception cref="StorageFailedException">The storage failed: the node must stop.</exception>
    internal bool HasTable(string name)
    {
        using var find = _connection.CreateInternal("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1 COLLATE NOCASE");
        return find.Bind(1, name).Step();
    }

    /// <summary>
    /// Puts another file's content in this one's place, as a commit; the open entry, if any, is undone. It is the position of that content at which this
    /// database is then. Readers see it at once.
    /// </summary>
    /// <param name="path">A file that a <see cref="DatabaseWriter"/> wrote and closed.</param>
    /// <exception cref="StorageFailedException">The storage failed: the node must stop.</exception>
    internal void ReplaceContent(string path)
    {
        Suspend();
        _statements.Clear();
        if (_connection.InTransaction)
        {
            _rollback.Run();
        }

        DatabaseFile.Overwrite(_connection, path);
        _begun = _tokensTouched = _schemaTouchedByEntry = _schemaTouchedByWrite = false;
        _changeLog.Ended(isCommitted: false);
        _changes.ForgetTables();
        _connection.ForgetSchema();

        // What is the same file's next version to SQLite need not be its own commit's.
        _dataVersion = null;
        Lock();
        ReadState();
        Tokens = new(_tokens.Read());
    }

    /// <summary>
    /// Moves what is committed from SQLite's write-ahead log into the database file and has the disk confirm it.
    /// </summary>
    /// <returns>The index up to which the content now survives a power loss, or null where readers kept some of it back, or another program is at it: try later.</returns>
    /// <exception cref="InvalidOperationException">An entry is open.</exception>
    /// <exception cref="ReplicaDivergedException">Another program has changed the file.</exception>
    /// <exception cref="StorageFailedException">The storage failed: the node must stop.</exception>
    public long? Checkpoint()
    {
        if (_begun)
        {
            throw new InvalidOperationException($"Entry {_stamp.Index} is still open.");
        }

        Suspend();

        // SQLite refuses it within a transaction.
        _rollback.Run();
        var isWhole = _connection.Checkpoint();
        Lock();
        return isWhole ? AppliedIndex : null;
    }

    /// <summary>Closes the file; an open entry is rolled back.</summary>
    public void Dispose()
    {
        _statements.Dispose();
        _ledger.Dispose();
        Registry.Dispose();
        History?.Dispose();
        _tokens.Dispose();
        _changeLog.Dispose();
        foreach (var statement in (ReadOnlySpan<InternalStatement>)
            [_begin, _commit, _rollback, _savepoint, _release, _rollbackTo, _pin, _pinNothing, _step, _releaseStep, _rollbackToStep, _readState, _storeApplied, _findIntruder, _readDataVersion, _readSchemaVersion])
        {
            statement.Dispose();
        }

        _connection.Dispose();
    }

    private static Failure NoMemorySetApart(long resultBytes) =>
        new(FailureCode.TooLarge, $"The result has {resultBytes} bytes, for which the node that was asked has no memory set apart.") { ResultBytes = resultBytes };

    private WriteOutcome ExecuteOperation(WriteCommand command, Operation operation, int ordinal, WriteRights rights)
    {
        if (FindRequest(command) is { } known)
        {
            return known;
        }

        StartWrite(ordinal);
        var failure = Perform(operation, rights);
        if (failure is null)
        {
            _ = Remember(command, [], long.MaxValue);
        }

        FinishWrite(succeeded: failure is null);
        return failure is null ? new WriteOutcome.Succeeded([], default) : new WriteOutcome.Failed(failure);
    }

    /// <summary>Does what an operation means for the content; what it means besides is its caller's business.</summary>
    private Failure? Perform(Operation operation, WriteRights rights)
    {
        if (rights.Role < TokenRole.Admin)
        {
            return TokenRoles.Refusal("This", TokenRole.Admin, rights.Role);
        }

        switch (operation)
        {
            case PromoteOperation { Node: var node }:
                using (var statement = _connection.CreateInternal("UPDATE _distdb_state SET master_node = ?1"))
                {
                    statement.Bind(1, node).Run();
                }

                return null;
            case VerifyOperation or RecordReadsOperation:
                return null;
            case CreateDatabaseOperation or DropDatabaseOperation or LoadDatabaseOperation when !rights.MaySchema:
                return new(FailureCode.NotMaster, "Only the master may create, replace and drop databases; send this to it.");
            case LoadDatabaseOperation { Name: var name, Staging: var staging, ForeignKeys: var foreignKeys }:
                if (!Registry.Contains(name) && name != DatabaseName.Main.Value)
                {
                    Registry.Add(name, _stamp.Index, foreignKeys);
                }

                Registry.Drop(staging, _stamp.Index);
                return null;
            case CreateDatabaseOperation { Name: var name, IfNotExists: var isOptional, ForeignKeys: var foreignKeys }:
                if (!Registry.Contains(name) && name != DatabaseName.Main.Value)
                {
                    Registry.Add(name, _stamp.Index, foreignKeys);
                    return null;
                }

                return isOptional ? null : new(FailureCode.Conflict, $"There is a database \"{name}\" already. Nothing was changed.");
            case DropDatabaseOperation { Name: var name, IfExists: var isOptional }:
                if (Registry.Contains(name))
                {
                    Registry.Drop(name, _stamp.Index);
                    return null;
                }

                return isOptional ? null : new(FailureCode.NoSuchDatabase, $"There is no database \"{name}\" to drop.");
            case CreateTokenOperation create:
                _tokensTouched = true;
                return _tokens.Add(create, _stamp.TimeMs);
            case RevokeTokenOperation { Name: var name }:
                _tokensTouched = true;
                return _tokens.Remove(name);
            default:
                throw new System.Diagnostics.UnreachableException(operation.GetType().Name);
        }
    }

    /// <summary>Takes the file's write lock, which the next entry goes on with, and sees who else had it meanwhile.</summary>
    private void Lock()
    {
        _begin.Run();

        // Changes with every commit that is not this connection's.
        _ = _readDataVersion.Step();
        var version = _readDataVersion.Integer(0);
        _readDataVersion.Reset();
        if (_dataVersion is { } known && known != version)
        {
            throw new ReplicaDivergedException($"Another program has changed the database file {_connection.Path} while this node was running it.");
        }

        _dataVersion = version;
    }

    private void RequireEntry()
    {
        if (!_begun)
        {
            throw new InvalidOperationException("No entry is open.");
        }

        if (!_connection.InTransaction)
        {
            throw new InvalidOperationException($"Entry {_stamp.Index} was rolled back by SQLite; call Rollback and begin it again.");
        }
    }

    /// <summary>
    /// Whether SQLite tells of changes decides how it compiles statements, so that they are compiled anew where an entry says otherwise than the one before. It makes no difference for what
    /// they do.
    /// </summary>
    private void BeginChanges()
    {
        var isWanted = _stamp.ChangesBytesMax > 0;
        if (_stamp.ChangesBytesMax is not null && isWanted != _connection.Capture is not null)
        {
            _statements.Clear();
            _changes.ForgetTables();
            _connection.Capture = isWanted ? _changes : null;
        }

        _changeLog.Begin(_stamp, AppliedIndex, HasContent);
    }

    /// <summary>As part of the open entry: what was kept of changes until now is gone, as the content is another's.</summary>
    /// <exception cref="StorageFailedException">The storage failed: the node must stop.</exception>
    internal void ReplaceChanges() => _changeLog.Replaced(_stamp.Index);

    private void StartWrite(int ordinal, string? key = null)
    {
        _connection.SeedEntry(_stamp, ordinal);

        // changes() becomes the 1 row of this update.
        _pin.Run();
        _savepoint.Run();
        _connection.LastInsertId = 0;
        _changes.BeginWrite(ordinal, key);
        _writeMark = _changes.Mark();
    }

    private void FinishWrite(bool succeeded)
    {
        if (!_connection.InTransaction)
        {
            return;
        }

        if (!succeeded)
        {
            _rollbackTo.Run();
            _changes.Cut(_writeMark);
        }

        _release.Run();
        if (_begun && succeeded)
        {
            _changeLog.StoreFull(_stamp);
        }

        if (_schemaTouchedByWrite)
        {
            // A savepoint makes full-text tables write out what they hold in memory, before they are opened anew with the schema.
            _savepoint.Run();
            _release.Run();
            _statements.Clear();
            _changes.ForgetTables();
            _connection.ForgetSchema();
            _schemaTouchedByEntry = true;
            _schemaTouchedByWrite = false;
        }
    }

    /// <summary>Runs a write's statements in order, up to the first that fails.</summary>
    private Failure? RunStatements(WriteCommand command, WriteRights rights, bool collectRows, StatementResult[] results)
    {
        _summaries.Clear();
        BeginInteractive(command.WithoutForeignKeys);
        try
        {
            for (var i = 0; i < results.Length; i++)
            {
                var failure = command.Interactive is { } terms
                    ? RunInteractive(terms, command.Statements[i], new(i, i), rights, collectRows: false, out results[i]!, out _)
                    : RunStatement(command, command.Statements[i], rights, collectRows, out results[i]);
                if (failure is not null)
                {
                    return command.IsTransaction ? failure with { StatementIndex = i } : failure;
                }
            }
        }
        finally
        {
            if (command.WithoutForeignKeys && _foreignKeys)
            {
                _connection.EnforceForeignKeys(true);
            }
        }

        // A deferred foreign key is SQLite's business only at COMMIT, where it would fail everybody's writes.
        return _connection.HasForeignKeyViolation
            ? new(FailureCode.Constraint, "FOREIGN KEY constraint failed", SqliteErrors.ConstraintForeignKey)
            : null;
    }

    private Failure? RunStatement(
        WriteCommand command, Statement statement, WriteRights rights, bool collectRows, out StatementResult result)
    {
        result = null!;
        if (!_statements.TryGet(statement.Sql, out var prepared, out var failure))
        {
            return failure;
        }

        var kind = prepared.Kind;
        long? schemaVersion;
        _summaries.Add(prepared.Summary);
        try
        {
            if (RoleRefusal(kind, rights.Role) is { } refusal)
            {
                return refusal;
            }

            if (kind == StatementKind.Schema && !rights.MaySchema)
            {
                return new(FailureCode.NotMaster, "Only the master may change the schema; send this statement to it.");
            }

            if (kind == StatementKind.Read && !command.IsTransaction)
            {
                return new(FailureCode.BadRequest, "The statement only reads; send it with command \"query\".");
            }

            _schemaTouchedByWrite |= kind == StatementKind.Schema;
            schemaVersion = kind == StatementKind.Schema && _changes.IsOn ? SchemaVersion() : null;
            if (!_runner.TryRun(prepared, statement.Parameters, collectRows, out var done, out failure))
            {
                return failure;
            }

            _changes.Check();
            result = done;
        }
        finally
        {
            prepared.Release();
        }

        return kind == StatementKind.Schema ? AfterSchemaStatement() ?? NoteSchemaChange(schemaVersion, prepared.Summary, statement.Sql) : null;
    }

    private long SchemaVersion()
    {
        _ = _readSchemaVersion.Step();
        var version = _readSchemaVersion.Integer(0);
        _readSchemaVersion.Reset();
        return version;
    }

    /// <summary>Tells those who follow of a schema statement that did something.</summary>
    /// <param name="before">The schema's version before it; null where nobody follows.</param>
    /// <param name="summary">What it is.</param>
    /// <param name="sql">Its text.</param>
    /// <returns>Null: it cannot fail.</returns>
    private Failure? NoteSchemaChange(long? before, StatementSummary summary, string sql)
    {
        if (before is null || before == SchemaVersion() || (summary.Table is { } name && ChangedTable.IsInternal(name)))
        {
            // The last is ANALYZE's.
            return null;
        }

        _changes.AddSchema(summary.Operation, summary.Table, sql);
        if (summary is { Operation: "CREATE TABLE", Table: { } table })
        {
            _changes.AddFirstRows(table);
        }

        return null;
    }

    private static Failure? RoleRefusal(StatementKind kind, TokenRole had) => kind switch
    {
        StatementKind.Schema when had < TokenRole.Schema => TokenRoles.Refusal("To change the schema", TokenRole.Schema, had),
        StatementKind.RowWrite when had < TokenRole.Write => TokenRoles.Refusal("To change rows", TokenRole.Write, had),
        _ => null,
    };

    private Failure? AfterSchemaStatement()
    {
        _statements.Clear();
        _changes.ForgetTables();

        // A virtual table knows only of savepoints that began after it was made: without one, SQLite would not tell it of the write's rollback,
        // and it would later write out rows into tables that are gone.
        _savepoint.Run();
        _release.Run();
        if (!_findIntruder.Step())
        {
            return null;
        }

        _findIntruder.Reset();
        return new(
            FailureCode.Forbidden,
            $"Names that begin with {InternalSchema.Prefix} are reserved for the cluster's own tables; choose another name.");
    }

    private WriteObservation Observe(StatementResult[] results)
    {
        long rowsAffected = 0;
        foreach (var result in results)
        {
            rowsAffected += result.RowsAffected;
        }

        return new(rowsAffected, _connection.LastInsertId);
    }

    private Failure? Remember(WriteCommand command, StatementResult[] results, long bytesMax)
    {
        if (command.IdempotencyKey is null)
        {
            return null;
        }

        var bytes = ResultCodec.Encode(results).Span;
        if (bytes.Length > bytesMax)
        {
            return new(
                FailureCode.TooLarge,
                $"The answer of a write with an \"id\" may have {bytesMax} bytes, as every node remembers it; " +
                "narrow RETURNING, or leave the \"id\" out.");
        }

        _ledger.Store(command, _stamp, bytes);
        return null;
    }

    private void ReadState()
    {
        _ = _readState.Step();
        AppliedIndex = _readState.Integer(0);
        AppliedTimeMs = _readState.Integer(1);
        ClusterId = _readState.Blob(2) is { Length: 16 } id ? new Guid(id) : null;
        MasterNode = (int)_readState.Integer(3);
        _readState.Reset();
    }

    private ObservationDifferedException Differed(int ordinal, string how, ulong observation) => new(
        $"The content of {_connection.Path} is not what the leader has. At entry {_stamp.Index}, write {ordinal}: {how}. The entry was not " +
        $"committed; the file is left at entry {AppliedIndex}.",
        _stamp.Index,
        ordinal,
        observation);
}
