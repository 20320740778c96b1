using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using DistDb.Node.Commands;
using DistDb.Node.Database.Changes;

namespace DistDb.Node.Database;

/// <summary>
/// All databases of a node, written together: a log entry opens a transaction in each database that it touches, and always one in <c>main</c>,
/// which knows where the node is in the log, who belongs to the cluster, and which databases there are.
/// <para>
/// The files are not committed as one. <c>main</c> comes last, and each file holds the entry that it is at, so that after a crash an entry is done
/// again where it is missing, and only there. What is done in one file depends on the entry and on that file alone.
/// </para>
/// <para>
/// One thread writes: everything but <see cref="Names"/>, <see cref="HasForeignKeys"/>, <see cref="LeaseAsync"/>, <see cref="Pin"/> and the byte counts belongs to it.
/// Files other than <c>main</c> are opened when they are needed, and closed again when too many are open.
/// </para>
/// </summary>
public sealed partial class DatabaseSet : IDisposable
{
    private static readonly string _mainName = DatabaseName.Main.Value;
    private static readonly string _historyName = DatabaseName.HistoryQuery.Value;

    /// <summary>So many are closed at once: more than one, so that it need not be looked for with each, and few, as whoever has done something waits for it.</summary>
    private const int ClosedAtOnce = 8;

    private readonly DatabaseOptions _options;

    // Taken for as long as an entry's commits take, so that whoever pins the content sees all of them or none. Before _openLock.
    private readonly Lock _commitLock = new();

    // Guards what is open.
    private readonly Lock _openLock = new();
    private readonly Dictionary<string, ReplicaDatabase> _open = [];
    private readonly Dictionary<string, FileStamp> _closed = [];
    private TaskCompletionSource? _reopened;
    private volatile ImmutableSortedSet<string> _names = [];
    private volatile ImmutableHashSet<string> _withoutForeignKeys = [];

    private readonly Dictionary<string, ReplicaDatabase> _begun = [];
    private readonly SortedSet<string> _touched = new(StringComparer.Ordinal);
    private readonly HashSet<string> _unconfirmed = [];
    private ReplicaDatabase? _main;
    private EntryStamp _stamp;
    private WriteCommand? _operationCommand;
    private bool _isBegun;
    private bool _isMainContentTouched;
    private long _mainContentIndex;
    private long _appliedIndex;

    /// <param name="folder">Where the files are; nothing is opened yet.</param>
    /// <param name="options">Settings.</param>
    public DatabaseSet(string folder, DatabaseOptions options)
    {
        Folder = folder;
        _options = options;
    }

    /// <summary>The folder of the files.</summary>
    public string Folder { get; }

    /// <summary>The file of <c>main</c>.</summary>
    public string MainPath => PathOf(_mainName);

    /// <summary>Wakes those who follow databases' changes. Any thread may use it.</summary>
    internal ChangeNews ChangeNews { get; } = new();

    /// <summary>Whether there is something that is written.</summary>
    [MemberNotNullWhen(true, nameof(_main))]
    public bool IsOpen => _main is not null;

    /// <summary>All databases, in the order of their names.</summary>
    public ImmutableSortedSet<string> Names => _names;

    /// <summary>Whether foreign keys are enforced in a database, as it was created.</summary>
    public bool HasForeignKeys(string name) => !_withoutForeignKeys.Contains(name);

    /// <summary>The log entry that every database is at, or ahead of: entries behind it are to be applied. As of the last commit.</summary>
    public long AppliedIndex => Interlocked.Read(ref _appliedIndex);

    /// <summary>The entry that <c>main</c> is at. Ahead of <see cref="AppliedIndex"/> where a power loss took more from another file.</summary>
    public long MainIndex => Main.AppliedIndex;

    /// <inheritdoc cref="DatabaseWriter.AppliedTimeMs"/>
    public long AppliedTimeMs => Main.AppliedTimeMs;

    /// <inheritdoc cref="DatabaseWriter.ClusterId"/>
    public Guid? ClusterId => Main.ClusterId;

    /// <inheritdoc cref="DatabaseWriter.MasterNode"/>
    public int MasterNode => Main.MasterNode;

    /// <inheritdoc cref="DatabaseWriter.Tokens"/>
    public TokenSet Tokens => Main.Tokens;

    /// <inheritdoc cref="DatabaseWriter.TransactionLost"/>
    public bool TransactionLost
    {
        get
        {
            // Looked at with every write.
            foreach (var database in _begun.Values)
            {
                if (database.Writer.TransactionLost)
                {
                    return true;
                }
            }

            return false;
        }
    }

    /// <summary>Whether the open entry is new to <c>main</c>; otherwise it is there again for other files alone.</summary>
    private bool IsMainBehind => _begun.ContainsKey(_mainName);

    private DatabaseWriter Main => _main?.Writer ?? throw new InvalidOperationException($"The databases in {Folder} are not open.");

    /// <summary>Bytes of all files, without what SQLite's write-ahead logs still hold.</summary>
    public long TotalByteCount => Names.Sum(ByteCount);

    /// <summary>Bytes of a database's file, without what SQLite's write-ahead log still holds; 0 where there is none.</summary>
    public long ByteCount(string name) => new FileInfo(PathOf(name)) is { Exists: true } file ? file.Length : 0;

    /// <summary>How many databases are open now, for reading or writing.</summary>
    public int OpenCount
    {
        get
        {
            lock (_openLock)
            {
                return _open.Count;
            }
        }
    }

    /// <summary>Opens <c>main</c>, or creates it, and sees that all other databases are there.</summary>
    /// <param name="confirmedIndex">The disk had confirmed all files at this entry: those that are behind it were not touched before it.</param>
    /// <param name="mayRenewHistory">
    /// Whether a query history that is missing is begun anew, which makes it another one than other nodes have; otherwise that is damage.
    /// </param>
    /// <returns>Whether the query history was missing, and was begun anew. What the log still has of it comes back with the log.</returns>
    /// <exception cref="StorageFailedException">One cannot be opened, or is missing.</exception>
    public bool Open(long confirmedIndex, bool mayRenewHistory = false)
    {
        lock (_commitLock)
        {
            return OpenAll(confirmedIndex, mayRenewHistory);
        }
    }

    /// <summary>Opens the transaction of one log entry.</summary>
    /// <inheritdoc cref="DatabaseWriter.Begin" path="/exception"/>
    public void Begin(EntryStamp stamp)
    {
        if (_isBegun)
        {
            throw new InvalidOperationException($"Entry {_stamp.Index} is still open.");
        }

        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(stamp.Index, AppliedIndex, nameof(stamp));
        _stamp = stamp;
        _isBegun = true;
        _ = Use(_mainName);
    }

    /// <summary>The entry that last changed what clients see of a database; or a later one, where this node has only just begun.</summary>
    public long ContentIndexOf(string name) => name == _mainName ? _mainContentIndex : Get(name).Writer.AppliedIndex;

    /// <inheritdoc cref="DatabaseWriter.Step"/>
    /// <param name="name">The database, which is there.</param>
    public StepOutcome Step(string name, InteractiveTransaction transaction, Statement statement, WriteRights rights, TimeSpan limit) =>
        Get(name).Writer.Step(transaction, statement, rights, limit);

    /// <summary>Takes what a database's interactive transaction has done back out of it, if it is there.</summary>
    public void Suspend(string name)
    {
        if (IsOpen && Names.Contains(name))
        {
            Get(name).Writer.Suspend();
        }
    }

    /// <inheritdoc cref="DatabaseWriter.Execute"/>
    public WriteOutcome Execute(WriteCommand command, int ordinal, WriteRights rights, TimeSpan limit)
    {
        if (command.Operation is { } operation)
        {
            if (operation is LoadDatabaseOperation load && RefusalToLoad(load) is { } refusal)
            {
                return new WriteOutcome.Failed(refusal);
            }

            var done = Main.Execute(command, ordinal, rights, limit);
            if (done is WriteOutcome.Succeeded)
            {
                _operationCommand = command;
            }

            return done;
        }

        if (!Names.Contains(command.Database))
        {
            return new WriteOutcome.Failed(NoSuchDatabase(command.Database));
        }

        if (command.Database == _mainName)
        {
            _isMainContentTouched = true;
            return Main.Execute(command, ordinal, rights, limit);
        }

        if (command.Database == _historyName)
        {
            return new WriteOutcome.Failed(new(FailureCode.Forbidden, $"The database \"{_historyName}\" is written by the cluster alone; it can be read."));
        }

        // Keys are the cluster's, whatever the database: main knows them all, and who has the results.
        var known = Main.FindRequest(command);
        if (known is WriteOutcome.Failed)
        {
            return known;
        }

        var database = Use(command.Database)!;
        if (known is WriteOutcome.Remembered { Index: var index })
        {
            return database.Writer.FindRequest(command) is not null ? database.Writer.Execute(command, ordinal, rights, limit) : new WriteOutcome.Failed(new(
                FailureCode.IdReused,
                $"The id \"{command.IdempotencyKey}\" was used in entry {index}, for a write to a database \"{command.Database}\" that was dropped since; use a new id for each write."));
        }

        var outcome = database.Writer.Execute(command, ordinal, rights, limit);
        if (outcome is WriteOutcome.Succeeded)
        {
            _touched.Add(command.Database);
            Main.RememberKey(command);
        }

        return outcome;
    }

    /// <inheritdoc cref="DatabaseWriter.Replay"/>
    /// <returns>One result for each statement; null where this was done before a crash, so that nobody waits for it any more.</returns>
    public IReadOnlyList<StatementResult>? Replay(LoggedWrite write, int ordinal, bool collectRows)
    {
        var results = FindReplayer(write.Command)?.Replay(write, ordinal, collectRows);
        NoteReplayed(write.Command);
        return results;
    }

    /// <inheritdoc cref="DatabaseWriter.ReplayOverruling"/>
    /// <returns>Succeeded or failed; null where this was done before a crash.</returns>
    public WriteOutcome? ReplayOverruling(LoggedWrite write, int ordinal, bool collectRows)
    {
        var outcome = FindReplayer(write.Command)?.ReplayOverruling(write, ordinal, collectRows);
        if (outcome is not WriteOutcome.Failed)
        {
            NoteReplayed(write.Command);
        }

        return outcome;
    }

    /// <inheritdoc cref="DatabaseWriter.SetOverruled"/>
    public void SetOverruled(ulong observation)
    {
        if (IsMainBehind)
        {
            Main.SetOverruled(observation);
        }
    }

    /// <inheritdoc cref="DatabaseWriter.ReadOverruled"/>
    public Dictionary<long, ulong> ReadOverruled() => Main.ReadOverruled();

    /// <inheritdoc cref="DatabaseWriter.SetClusterId"/>
    public void SetClusterId(Guid id)
    {
        if (IsMainBehind)
        {
            Main.SetClusterId(id);
        }
    }

    /// <inheritdoc cref="DatabaseWriter.SetMembership"/>
    public void SetMembership(ReadOnlySpan<byte> membership)
    {
        if (IsMainBehind)
        {
            Main.SetMembership(membership);
        }
    }

    /// <summary>Commits the open entry in every database that it touches. Readers of each see it at once.</summary>
    /// <inheritdoc cref="DatabaseWriter.Commit" path="/exception"/>
    /// <param name="batch">What the entry says, for the query history; null where it has nothing to do with it.</param>
    public void Commit(WriteBatch? batch = null)
    {
        if (!_isBegun)
        {
            throw new InvalidOperationException("No entry is open.");
        }

        if (batch is not null && QueryHistory.Concerns(batch))
        {
            _touched.Add(_historyName);
            Use(_historyName)?.Writer.History!.Add(_stamp.Index, batch);
        }

        string[] begun = [.. _begun.Keys];
        lock (_commitLock)
        {
            CommitAll();
        }

        TellNews(begun, batch);
        CloseExcess();
    }

    /// <summary>Undoes the open entry everywhere. Does nothing where none is open.</summary>
    /// <inheritdoc cref="DatabaseWriter.Rollback" path="/exception"/>
    public void Rollback()
    {
        foreach (var database in _begun.Values)
        {
            database.Writer.Rollback();
        }

        EndEntry();
    }

    /// <summary>Has the disk confirm all that is committed.</summary>
    /// <returns>The entry that a power loss cannot go behind any more, or null where readers kept something back, or another program is at it: try later.</returns>
    /// <inheritdoc cref="DatabaseWriter.Checkpoint" path="/exception"/>
    public long? Checkpoint()
    {
        _unconfirmed.RemoveWhere(name => !Names.Contains(name) || Get(name).Writer.Checkpoint() is not null);

        // Main is written with every entry.
        return _unconfirmed.Count == 0 ? AppliedIndex : null;
    }

    /// <summary>Keeps a database open for reading; null where there is none of that name. Waits while the content is being replaced.</summary>
    /// <exception cref="OperationCanceledException">Cancelled while waiting.</exception>
    /// <exception cref="StorageFailedException">It cannot be opened, or there is no content now.</exception>
    public async Task<DatabaseLease?> LeaseAsync(string name, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task reopened;
            lock (_openLock)
            {
                if (_reopened is null)
                {
                    if (!Names.Contains(name))
                    {
                        return null;
                    }

                    var database = FindOrOpen(name, forWriting: false);
                    database.LeaseCount++;
                    return new(database, () => EndLease(database));
                }

                reopened = _reopened.Task;
            }

            await reopened.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Holds the content of all databases fast as of the last commit. Any thread may call it.</summary>
    /// <returns>One for each database, in the order of their names, or null while some files are behind others, or none are open.</returns>
    /// <exception cref="ReplicaDivergedException">A file is not the one that was written.</exception>
    /// <exception cref="StorageFailedException">A file cannot be read.</exception>
    /// <param name="names">Which of them; null for all.</param>
    public ContentPin? Pin(IReadOnlyCollection<string>? names = null)
    {
        lock (_commitLock)
        {
            if (!IsOpen || Main.AppliedIndex != AppliedIndex)
            {
                return null;
            }

            List<PinnedContent> databases = [];
            try
            {
                foreach (var name in Names.Where(n => names is null || names.Contains(n)))
                {
                    databases.Add(PinnedContent.Open(name, PathOf(name), ExpectedIndex(name)));
                }

                return new(AppliedIndex, Main.AppliedTimeMs, databases);
            }
            catch
            {
                databases.ForEach(d => d.Dispose());
                throw;
            }
        }
    }

    /// <summary>
    /// Puts another folder of databases in this one's place. Queries that run are waited for, later ones wait until it is done. Should the
    /// process die in between, <see cref="DatabaseFile.ReplaceFolder"/> finishes it.
    /// </summary>
    /// <param name="newFolder">The other folder.</param>
    /// <param name="index">The entry that its files were taken at.</param>
    /// <exception cref="StorageFailedException">The new files cannot be opened.</exception>
    /// <exception cref="IOException">The folder cannot be moved.</exception>
    public void Replace(string newFolder, long index) => RunWhileClosed(() =>
    {
        DatabaseFile.ReplaceFolder(Folder, newFolder);
        Open(index);
        ChangeNews.TellAll();
    });

    /// <summary>
    /// Moves the files, whatever is wrong with them, to another folder; there is no content from then on, until <see cref="Replace"/>. Queries that
    /// run are waited for.
    /// </summary>
    /// <exception cref="IOException">The folder cannot be moved.</exception>
    public void MoveAside(string target) => RunWhileClosed(() =>
    {
        DatabaseFile.MoveFolderAside(Folder, target);
        ChangeNews.TellAll();
    });

    public void Dispose() => Close();

    /// <summary>What a client is told whose database does not exist.</summary>
    public static Failure NoSuchDatabase(string name) => new(
        FailureCode.NoSuchDatabase, $"There is no database \"{name}\". Nothing was done; create it first (CREATE DATABASE), or leave \"database\" out for \"{_mainName}\".");

    private string PathOf(string name) => DatabaseFile.PathIn(Folder, name);

    private bool OpenAll(long confirmedIndex, bool mayRenewHistory)
    {
        var isHistoryRenewed = false;
        Directory.CreateDirectory(Folder);
        DeleteDrafts();
        var main = ReplicaDatabase.Open(_mainName, MainPath, _options, foreignKeys: true);
        try
        {
            lock (_openLock)
            {
                _main = main;
                _open[_mainName] = main;
            }

            var databases = main.Writer.Registry.Read();
            _names = [_mainName, .. databases.Where(d => !d.IsDropped).Select(d => d.Name)];
            _withoutForeignKeys = [.. databases.Where(d => !d.IsDropped && !d.ForeignKeys).Select(d => d.Name)];
            _unconfirmed.Add(_mainName);
            var applied = _mainContentIndex = main.Writer.AppliedIndex;
            foreach (var database in databases)
            {
                if (database.IsDropped)
                {
                    Delete(database.Name);
                }
                else
                {
                    if (!File.Exists(PathOf(database.Name)))
                    {
                        isHistoryRenewed |= BeginBuiltIn(database, mayRenewHistory);
                    }

                    if (FindAppliedIndex(database.Name) is var index && index < database.Touched)
                    {
                        applied = Math.Min(applied, Math.Max(index, confirmedIndex));
                    }
                }
            }

            Interlocked.Exchange(ref _appliedIndex, applied);
            return isHistoryRenewed;
        }
        catch
        {
            Close();
            throw;
        }
    }

    private void CommitAll()
    {
        var operation = _operationCommand?.Operation;
        var load = operation as LoadDatabaseOperation;
        var created = operation switch
        {
            CreateDatabaseOperation creation when !Names.Contains(creation.Name) => creation,
            LoadDatabaseOperation { Name: var name, ForeignKeys: var foreignKeys } when !Names.Contains(name) => new(name, IfNotExists: false, foreignKeys),
            _ => null,
        };
        var dropped = operation switch
        {
            DropDatabaseOperation { Name: var name } when Names.Contains(name) => name,
            LoadDatabaseOperation { Staging: var name } when Names.Contains(name) => name,
            _ => null,
        };
        if (created is not null)
        {
            Create(created);
        }

        if (load is not null && load.Name != _mainName)
        {
            _touched.Add(load.Name);
            if (Get(load.Name) is var target && (created is not null || target.Writer.AppliedIndex < _stamp.Index))
            {
                _unconfirmed.Add(load.Name);
                Load(target, load);
            }

            // The transaction of writes to it that failed before, if any, went with its old content.
            _begun.Remove(load.Name);
        }

        foreach (var (name, database) in _begun.Where(d => d.Key != _mainName))
        {
            if (!_touched.Contains(name))
            {
                // Only writes that failed: no replica knows of them.
                database.Writer.Rollback();
                continue;
            }

            _unconfirmed.Add(name);
            database.Writer.Commit();
        }

        if (IsMainBehind)
        {
            _unconfirmed.Add(_mainName);
            if (load?.Name == _mainName)
            {
                Load(_main!, load);
            }
            else
            {
                CommitMain(Main);
            }
        }

        if (_isMainContentTouched || load?.Name == _mainName)
        {
            _mainContentIndex = _stamp.Index;
        }

        Interlocked.Exchange(ref _appliedIndex, _stamp.Index);
        if (created is not null)
        {
            _names = _names.Add(created.Name);
        }

        if (dropped is not null)
        {
            _names = _names.Remove(dropped);
            _withoutForeignKeys = _withoutForeignKeys.Remove(dropped);

            // Were the drop lost in a power loss and its files not, entries before it would be applied to files that are gone.
            DatabaseFile.FlushLog(MainPath);
            Delete(dropped);
        }

        EndEntry();
    }

    private void TellNews(string[] begun, WriteBatch? batch)
    {
        if (batch?.Writes[^1].Command.Operation is DropDatabaseOperation or LoadDatabaseOperation)
        {
            ChangeNews.TellAll();
            return;
        }

        lock (_openLock)
        {
            foreach (var name in begun)
            {
                if (_open.TryGetValue(name, out var database) && database.Writer.HasNews)
                {
                    ChangeNews.Tell(name);
                }
            }
        }
    }

    private void CommitMain(DatabaseWriter main)
    {
        foreach (var name in _touched)
        {
            main.Registry.Touch(name, _stamp.Index);
        }

        main.Commit();
    }

    /// <summary>Who is to replay a write; null where nobody has to, because it was done before a crash.</summary>
    private DatabaseWriter? FindReplayer(WriteCommand command)
    {
        if (command.Operation is not null || command.Database == _mainName)
        {
            return IsMainBehind ? Main : null;
        }

        // Where main is ahead, the database may have been dropped since.
        return Names.Contains(command.Database) ? Use(command.Database)?.Writer
            : !IsMainBehind ? null
            : throw new ReplicaDivergedException(
                $"Entry {_stamp.Index} writes to the database \"{command.Database}\", which this node does not have.");
    }

    private void NoteReplayed(WriteCommand command)
    {
        if (command.Operation is not null)
        {
            _operationCommand = IsMainBehind ? command : null;
        }
        else if (command.Database == _mainName)
        {
            _isMainContentTouched = true;
        }
        else
        {
            _touched.Add(command.Database);
            if (IsMainBehind)
            {
                Main.RememberKey(command);
            }
        }
    }

    private void EndEntry()
    {
        _isMainContentTouched = false;
        _begun.Clear();
        _touched.Clear();
        _operationCommand = null;
        _isBegun = false;
    }

    /// <summary>The database's transaction in the open entry, begun where it is not yet; null where it has that entry already.</summary>
    private ReplicaDatabase? Use(string name)
    {
        if (!_isBegun)
        {
            throw new InvalidOperationException("No entry is open.");
        }

        if (_begun.TryGetValue(name, out var begun))
        {
            return begun;
        }

        var database = Get(name);
        if (_stamp.Index <= database.Writer.AppliedIndex)
        {
            return null;
        }

        // What files are made of on their way, and the history, are nobody's to follow.
        database.Writer.Begin(DatabaseName.IsStaging(name) || name == _historyName ? _stamp with { ChangesBytesMax = null } : _stamp);
        _begun[name] = database;
        return database;
    }

    private ReplicaDatabase Get(string name)
    {
        lock (_openLock)
        {
            return FindOrOpen(name, forWriting: true);
        }
    }

    /// <summary>The caller holds the lock.</summary>
    private ReplicaDatabase FindOrOpen(string name, bool forWriting)
    {
        if (!IsOpen)
        {
            throw new StorageFailedException($"The databases in {Folder} were put aside just now.", SqliteErrors.Corrupt);
        }

        if (!_open.TryGetValue(name, out var database))
        {
            var path = PathOf(name);
            if (!File.Exists(path) || (_closed.Remove(name, out var stamp) && stamp != FileStamp.Of(path)))
            {
                throw Damaged(path, "it was deleted, replaced or changed by another program while this node was running");
            }

            database = ReplicaDatabase.Open(name, path, _options, HasForeignKeys(name));
            _open[name] = database;
        }

        database.UsedAtMs = Environment.TickCount64;
        database.IsWritersToo |= forWriting;
        return database;
    }

    private void EndLease(ReplicaDatabase database)
    {
        lock (_openLock)
        {
            database.LeaseCount--;
            if (_reopened is null)
            {
                // The thread that writes closes nothing while nobody writes.
                CloseExcess(d => !d.IsWritersToo);
            }
        }
    }

    private long? ExpectedIndex(string name)
    {
        lock (_openLock)
        {
            return _open.TryGetValue(name, out var database) ? database.Writer.AppliedIndex : null;
        }
    }

    /// <summary>Makes a file that is not there, which only a built-in database's may be, as it begins with nothing.</summary>
    /// <returns>Whether there was one before.</returns>
    private bool BeginBuiltIn(RegisteredDatabase registered, bool mayRenewHistory)
    {
        var path = PathOf(registered.Name);
        var wasThere = registered.Touched != 0;
        if (wasThere && !(mayRenewHistory && registered.Name == _historyName))
        {
            throw Damaged(path, "it is gone");
        }

        // A write-ahead log that is left over would be taken for the new file's.
        DatabaseFile.Delete(path);
        using (ReplicaDatabase.Open(registered.Name, path, _options, registered.ForeignKeys))
        {
        }

        FolderSync.Flush(Folder);
        return wasThere;
    }

    /// <summary>The entry that a database is at, when this node starts.</summary>
    private long FindAppliedIndex(string name)
    {
        var path = PathOf(name);
        if (!File.Exists(path + "-wal"))
        {
            return DatabaseFile.ReadAppliedIndex(path);
        }

        // What is in SQLite's write-ahead log counts, though the disk need not have confirmed it.
        _unconfirmed.Add(name);
        var applied = Get(name).Writer.AppliedIndex;
        CloseExcess();
        return applied;
    }

    private static StorageFailedException Damaged(string path, string reason) =>
        new($"The database {path} cannot be used: {reason}.", SqliteErrors.Corrupt, reason);

    private void Create(CreateDatabaseOperation creation)
    {
        var name = creation.Name;
        var path = PathOf(name);
        Delete(name);
        if (!creation.ForeignKeys)
        {
            _withoutForeignKeys = _withoutForeignKeys.Add(name);
        }

        var database = ReplicaDatabase.Open(name, path, _options, creation.ForeignKeys);
        try
        {
            database.Writer.Begin(_stamp);
            database.Writer.Commit();
            if (database.Writer.Checkpoint() is null)
            {
                _unconfirmed.Add(name);
            }

            FolderSync.Flush(Folder);
        }
        catch
        {
            database.Dispose();
            throw;
        }

        lock (_openLock)
        {
            database.IsWritersToo = true;
            _open[name] = database;
        }
    }

    /// <summary>Nobody finds the database any more, and those that still read it are told that it was dropped.</summary>
    private void Delete(string name)
    {
        ReplicaDatabase? database;
        lock (_openLock)
        {
            _open.Remove(name, out database);
            _closed.Remove(name);
        }

        _unconfirmed.Remove(name);
        if (database is null)
        {
            DatabaseFile.Delete(PathOf(name));
            return;
        }

        // SQLite finds what belongs to a file by its name: a reader that opened it while it is deleted could meet the write-ahead log of the
        // next database of that name. So they are ended first.
        database.Readers.RunOnceEnded(() =>
        {
            database.Dispose();
            DatabaseFile.Delete(PathOf(name));
        });
    }

    /// <summary>Closes files that were not used for the longest time, where more are open than should be.</summary>
    private void CloseExcess()
    {
        lock (_openLock)
        {
            foreach (var closed in CloseExcess(d => !d.Writer.IsBegun))
            {
                _unconfirmed.Remove(closed);
            }
        }
    }

    /// <summary>The same for those that the calling thread may close. The caller holds the lock.</summary>
    /// <returns>Their names.</returns>
    private List<string> CloseExcess(Func<ReplicaDatabase, bool> mayClose)
    {
        List<string> closed = [];
        var kept = Math.Min(_options.OpenDatabasesMax, DatabaseOptions.OpenDatabasesMin);
        if (_open.Count <= kept || (_open.Count <= _options.OpenDatabasesMax && !IsOpenTooMuch()))
        {
            return closed;
        }

        foreach (var database in _open.Values
            .Where(d => d != _main && d.LeaseCount == 0 && mayClose(d))
            .OrderBy(d => d.UsedAtMs)
            .Take(Math.Min(_open.Count - kept, ClosedAtOnce))
            .ToList())
        {
            // What only was read has nothing that the disk would have to confirm.
            if (!database.IsWritersToo || database.Writer.Checkpoint() is not null)
            {
                _open.Remove(database.Name);
                database.Dispose();
                _closed[database.Name] = FileStamp.Of(PathOf(database.Name));
                closed.Add(database.Name);
            }
        }

        return closed;
    }

    private bool IsOpenTooMuch() =>
        Connection.FileHandleCount > _options.FileHandlesMax - (Connection.HandleCountMax * Names.Count) || SqliteLibrary.MemoryBytes > DatabaseOptions.OpenMemoryBytesMax;

    private void RunWhileClosed(Action action)
    {
        List<ReplicaDatabase> open;
        lock (_openLock)
        {
            _reopened = new(TaskCreationOptions.RunContinuationsAsynchronously);
            open = [.. _open.Values];
        }

        try
        {
            Close(open, 0, action);
        }
        finally
        {
            lock (_openLock)
            {
                _reopened.SetResult();
                _reopened = null;
            }
        }
    }

    private void Close(List<ReplicaDatabase> open, int first, Action action)
    {
        if (first < open.Count)
        {
            open[first].Readers.RunWhileClosed(() => Close(open, first + 1, action));
            return;
        }

        Close();
        action();
    }

    private void Close()
    {
        EndEntry();
        lock (_commitLock)
        {
            lock (_openLock)
            {
                foreach (var database in _open.Values)
                {
                    database.Dispose();
                }

                _open.Clear();
                _closed.Clear();
                _main = null;
            }
        }

        _unconfirmed.Clear();
    }
}
