using System.Runtime.InteropServices;
using DistDb.Node.Database.Changes;
using DistDb.Node.Database.Native;

namespace DistDb.Node.Database;

/// <summary>One SQLite connection with what hangs on it: authorizer, time limit, our functions. Used by one thread at a time.</summary>
internal sealed unsafe class Connection : IDisposable
{
    private const int ConfigForeignKeys = 1002;
    private const int ConfigFts3Tokenizer = 1004;
    private const int ConfigLoadExtension = 1005;
    private const int ConfigNoCheckpointOnClose = 1006;
    private const int ConfigDefensive = 1010;
    private const int ConfigWritableSchema = 1011;
    private const int LimitLength = 0;
    private const int LimitExpressionDepth = 3;
    private const int LimitCompoundSelect = 4;
    private const int LimitAttached = 7;
    private const int LimitLikePatternLength = 8;
    private const int LimitTriggerDepth = 10;
    private const int StatusDeferredForeignKeys = 10;

    /// <summary>File handles of a connection, at most: the file, its write-ahead log, and the index of that, which connections of one file share.</summary>
    internal const int HandleCountMax = 3;

    /// <summary>SQLITE_CANTOPEN.</summary>
    private const int CannotOpen = 14;

    /// <summary>The operating system's EMFILE.</summary>
    private const int TooManyFiles = 24;

    /// <summary>Time for another process (an operator's shell, a backup tool) to let go of the file's lock.</summary>
    private const int BusyTimeoutMs = 5000;

    private static int _fileHandleCount;

    private GCHandle _self;
    private readonly EntryRandom? _random;
    private nint _handle;
    private bool _isInspecting;

    private Connection(string path, bool forWrites, bool foreignKeys = true)
    {
        SqliteLibrary.Initialize();
        Path = System.IO.Path.GetFullPath(path);
        Authorizer = new(forWrites) { Bypass = true };
        _self = GCHandle.Alloc(this);
        Interlocked.Add(ref _fileHandleCount, HandleCountMax);
        try
        {
            var flags = Sqlite3.OpenNoMutex | (forWrites ? Sqlite3.OpenReadWrite | Sqlite3.OpenCreate : Sqlite3.OpenReadOnly);
            var code = Sqlite3.sqlite3_open_v2(Path, out _handle, flags, forWrites ? EntryTimeVfs.Name : null);
            if (code != Sqlite3.Ok)
            {
                throw StorageFailed(code);
            }

            _ = Sqlite3.sqlite3_extended_result_codes(_handle, 1);
            _ = Sqlite3.sqlite3_busy_timeout(_handle, BusyTimeoutMs);
            _ = Sqlite3.sqlite3_limit(_handle, LimitLength, DatabaseOptions.ValueBytesMax);

            // SQLite's own defaults, whatever the library at hand was built with: what one replica compiles, all must.
            _ = Sqlite3.sqlite3_limit(_handle, LimitExpressionDepth, 1000);
            _ = Sqlite3.sqlite3_limit(_handle, LimitCompoundSelect, 500);
            _ = Sqlite3.sqlite3_limit(_handle, LimitTriggerDepth, 1000);
            _ = Sqlite3.sqlite3_limit(_handle, LimitLikePatternLength, 50_000);
            _ = Sqlite3.sqlite3_limit(_handle, LimitAttached, 0);
            Configure(ConfigForeignKeys, foreignKeys ? 1 : 0);
            Configure(ConfigFts3Tokenizer, 0);
            Configure(ConfigLoadExtension, 0);
            Configure(ConfigDefensive, 1);
            Configure(ConfigWritableSchema, 0);

            // trusted_schema stays on: with it off, SQLite 3.38 to 3.40 refuse JSON functions in CHECK, triggers, views and generated
            // columns. It guards against functions with side effects; those are refused by the authorizer, or are off as of above.
            if (forWrites)
            {
                _random = new(_handle);
                OwnStateFunctions.Register(_handle, GCHandle.ToIntPtr(_self));
            }

            ConnectionCallbacks.Install(_handle, GCHandle.ToIntPtr(_self));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>File handles that all connections of this process have together, at most.</summary>
    public static int FileHandleCount => Volatile.Read(ref _fileHandleCount);

    /// <summary>The database file, as a full path.</summary>
    public string Path { get; }

    /// <summary>Its <see cref="Authorizer.Bypass"/> is set except while a client's statement is prepared or stepped.</summary>
    public Authorizer Authorizer { get; }

    public StatementLimit Limit { get; } = new();

    /// <summary>Set when a row got the highest rowid there is. SQLite would draw the next one by its own chance, differently on
    /// every replica, so whoever finds it set must undo the write and clear it.</summary>
    public bool ReservedRowidUsed { get; set; }

    public nint Handle => _handle;

    /// <summary>Of a writer: who is told of each row that a client's statement changes, as it changes it; null where nobody is.</summary>
    public ChangeCapture? Capture
    {
        get;
        set
        {
            field = value;
            ConnectionCallbacks.InstallPreupdate(_handle, GCHandle.ToIntPtr(_self), isOn: value is not null);
        }
    }

    /// <summary>What made the tables of ours in the file, one statement each.</summary>
    public IReadOnlyList<string> OwnSchema { get; set; } = InternalSchema.Create;

    /// <summary>False also once SQLite has rolled a transaction back by itself.</summary>
    public bool InTransaction => Sqlite3.sqlite3_get_autocommit(_handle) == 0;

    /// <summary>Rows changed by the latest INSERT, UPDATE or DELETE.</summary>
    public long Changes => Sqlite3.sqlite3_changes(_handle);

    public long LastInsertId
    {
        get => Sqlite3.sqlite3_last_insert_rowid(_handle);
        set => Sqlite3.sqlite3_set_last_insert_rowid(_handle, value);
    }

    /// <summary>Whether foreign keys are enforced. Unlike <c>PRAGMA foreign_keys</c> this works within a transaction, and has statements compiled anew.</summary>
    public void EnforceForeignKeys(bool isOn) => Configure(ConfigForeignKeys, isOn ? 1 : 0);

    /// <summary>True while a foreign key, deferred until the commit, is violated.</summary>
    public bool HasForeignKeyViolation
    {
        get
        {
            int current, highest;
            _ = Sqlite3.sqlite3_db_status(_handle, StatusDeferredForeignKeys, &current, &highest, 0);
            return current != 0;
        }
    }

    /// <summary>Whether the file that is open here is not the one that has its name any more: it was deleted, or another was put in its place.</summary>
    public bool HasMoved
    {
        get
        {
            const int HasMovedOperation = 20;
            var hasMoved = 0;
            _ = Sqlite3.sqlite3_file_control(_handle, null, HasMovedOperation, &hasMoved);
            return hasMoved != 0;
        }
    }

    /// <summary>SQLite's words about the latest error.</summary>
    public string ErrorMessage => Sqlite3.Text(Sqlite3.sqlite3_errmsg(_handle));

    /// <summary>Opens the file for writing, creating it where it does not exist; time and chance come from <see cref="SeedEntry"/>.</summary>
    /// <exception cref="StorageFailedException">The file cannot be opened.</exception>
    public static Connection OpenWriter(string path, bool foreignKeys = true)
    {
        var connection = new Connection(path, forWrites: true, foreignKeys);
        connection.RunInternal("PRAGMA journal_mode = WAL");
        connection.RunInternal("PRAGMA synchronous = NORMAL");

        // 64 MiB: the pages of a whole batch, as far as SqliteLibrary's bound on all caches together allows, and after a burst no larger log file
        // than that stays on disk.
        connection.RunInternal("PRAGMA cache_size = -65536");
        connection.RunInternal("PRAGMA journal_size_limit = 67108864");
        return connection;
    }

    /// <summary>Opens an existing file for reading, with the machine's own time and chance.</summary>
    /// <exception cref="StorageFailedException">The file does not exist or cannot be opened.</exception>
    public static Connection OpenReader(string path)
    {
        var connection = new Connection(path, forWrites: false);
        connection.RunInternal("PRAGMA query_only = ON");
        return connection;
    }

    /// <summary>Stops the statements that run now. Any thread may call it.</summary>
    public void Interrupt() => Sqlite3.sqlite3_interrupt(_handle);

    /// <summary>Sets time and chance for the statements that the calling thread runs next on this connection.</summary>
    public void SeedEntry(EntryStamp stamp, int ordinal)
    {
        EntryTimeVfs.SetClock(stamp.TimeMs);
        _random!.Seed(stamp.Seed, ordinal);
    }

    /// <summary>One of our own statements, which are known to be good; dispose it before the connection.</summary>
    public InternalStatement CreateInternal(string sql) => new(this, sql);

    /// <summary>Runs one of our own statements once.</summary>
    /// <exception cref="StorageFailedException">It fails.</exception>
    public void RunInternal(string sql)
    {
        using var statement = CreateInternal(sql);
        statement.Run();
    }

    /// <summary>Moves committed pages from the write-ahead log into the file, with fsync.</summary>
    /// <returns>False where readers kept some of them back, or another program is at it.</returns>
    /// <exception cref="StorageFailedException">It fails.</exception>
    public bool Checkpoint()
    {
        const int Passive = 0;
        int frames, checkpointed;
        var code = Sqlite3.sqlite3_wal_checkpoint_v2(_handle, null, Passive, &frames, &checkpointed);
        return code switch
        {
            Sqlite3.Ok => frames == checkpointed,
            _ when (code & 0xff) == SqliteErrors.Busy => false,
            _ => throw StorageFailed(code),
        };
    }

    /// <summary>Forgets the schema in memory, so that it is read from the file again. What SQLite has in memory after DDL, ANALYZE or
    /// their rollback may differ from what it would read, and with it the plan and the row order of later statements.</summary>
    public void ForgetSchema() => RunInternal("PRAGMA writable_schema = RESET");

    /// <summary>The exception for an error that is no statement's own. From then on the file stays as it is, also when it is closed.</summary>
    public StorageFailedException StorageFailed(int code)
    {
        var said = _handle == 0 ? "out of memory" : ErrorMessage;
        if (_handle != 0)
        {
            // Closing would copy the write-ahead log into the file and sync both, which after a failed sync must not be tried again.
            int now;
            _ = Sqlite3.sqlite3_db_config(_handle, ConfigNoCheckpointOnClose, 1, &now);
            if ((code & 0xff) == CannotOpen && Sqlite3.sqlite3_system_errno(_handle) == TooManyFiles)
            {
                said += ", as the process may not have more files open: raise its limit (ulimit -n, or LimitNOFILE= in a systemd unit)";
            }
        }

        return new(
            $"SQLite could not go on with the database file {Path}: {said} (code {code}). What was committed before is kept; the open " +
            "transaction was not committed and is executed again from the log at the next start. Check the disk (space, permissions, " +
            "kernel log) and the memory, then start the node again. If the file itself is damaged, that start puts it aside and fetches a " +
            "copy from another node.",
            code,
            said);
    }

    /// <summary>
    /// The exception for a failed statement of our own. They are known to be good, and no client can reach their tables. So where it is the statement
    /// that SQLite blames, and not the disk, either those tables are not as we made them, which is damage that another copy heals; or it is a
    /// defect that all replicas may share, and then each keeps its file and stops, as putting all of them aside would help nobody.
    /// </summary>
    public StorageFailedException InternalFailed(int code)
    {
        var failed = StorageFailed(code);
        if (!SqliteErrors.BlamesStatement(code) || _isInspecting)
        {
            return failed;
        }

        _isInspecting = true;
        try
        {
            return InternalSchema.FindFault(this) is { } fault
                ? new(failed.Message, code, $"a statement of distdb's own failed ({failed.Reason}), as {fault}", isDamage: true)
                : new(
                    $"A statement of distdb's own failed in the database file {Path}, though its tables there are as they should be: {failed.Reason} (code {code}). This " +
                    "is a defect in distdb: please report it. What was committed before is kept, and nothing was told to clients as done; the node stops rather than skip " +
                    "anything. Start it again; should it stop again, start it once with --rebuild, which sets its files aside and learns everything from the other nodes.",
                    code,
                    failed.Reason);
        }
        finally
        {
            _isInspecting = false;
        }
    }

    public void Dispose()
    {
        if (_handle != 0)
        {
            _ = Sqlite3.sqlite3_close_v2(_handle);
            _handle = 0;
        }

        _random?.Dispose();
        if (_self.IsAllocated)
        {
            _self.Free();
            Interlocked.Add(ref _fileHandleCount, -HandleCountMax);
        }
    }

    private void Configure(int option, int value)
    {
        int now;
        if (Sqlite3.sqlite3_db_config(_handle, option, value, &now) != Sqlite3.Ok || now != value)
        {
            throw new InvalidOperationException($"This SQLite does not take the configuration option {option}; version 3.35 is needed.");
        }
    }
}
