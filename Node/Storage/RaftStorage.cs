using System.Diagnostics;
using System.Globalization;
using System.Security.Cryptography;
using DistDb.Node.Raft;
using DistDb.Node.Telemetry;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace DistDb.Node.Storage;

/// <summary>
/// The Raft log, term and vote on disk: one SQLite file (<c>raft.db</c>) in WAL mode with <c>synchronous=FULL</c>, so that one commit is
/// one fsync and torn writes are SQLite's business (docs/adr/0002). Owns the file; the newest entries are kept in memory as well,
/// because nearly every read asks for them. What SQLite does not notice, a bit that changed on the disk, the rows' checksums do: all of them are
/// compared when the file is opened, and an entry's again whenever it is read.
/// <para><see cref="Append"/> belongs to one thread (the Raft loop); everything else may be called from any.</para>
/// <code>
/// meta        key TEXT PRIMARY KEY, value TEXT, checksum       format, node, log_id, cluster_id (may be empty), held_back (0, 1)
/// hard_state  id = 0, term, voted_for (NULL: nobody), checksum
/// base        id = 0, idx, term, checksum, membership          the last entry that was cut off (0, 0: none), the newest configuration up to there
/// entries     idx INTEGER PRIMARY KEY, term, kind, checksum, data BLOB
/// </code>
/// </summary>
public sealed class RaftStorage : ILogStore, IDisposable
{
    private const string Format = "2";
    private const string FormatKey = "format";
    private const string NodeKey = "node";
    private const string LogIdKey = "log_id";
    private const string ClusterIdKey = "cluster_id";
    private const string HeldBackKey = "held_back";
    private const long Nobody = -1;

    // About a millisecond's work.
    private const int CutEntriesAtOnce = 1000;
    private const int CutLargeEntriesAtOnce = 16;

    private readonly Lock _cacheLock = new();
    private readonly Lock _readerLock = new();
    private readonly string _path;
    private readonly SqliteConnection _writer;
    private readonly SqliteConnection _reader;
    private readonly SqliteCommand _begin;
    private readonly SqliteCommand _commit;
    private readonly SqliteCommand _deleteFrom;
    private readonly SqliteCommand _insert;
    private readonly SqliteCommand _updateHardState;
    private readonly EntryCache _cache;
    private readonly NodeInstruments? _instruments;

    // The entries of that kind behind the beginning, in order; few.
    private readonly List<Entry> _configurations = [];
    private LogIndex _baseIndex;
    private Term _baseTerm;
    private LogIndex _lastIndex;
    private Membership? _baseMembership;
    private long _syncCount;

    // Of all entries' data; changed by the writing thread alone.
    private long _bytes;

    private RaftStorage(string path, SqliteConnection writer, SqliteConnection reader, RaftStorageOptions options)
    {
        _path = path;
        _writer = writer;
        _reader = reader;
        _cache = new(options.CachedBytesMax);
        _instruments = options.Instruments;

        // Not the library's transactions: after an error that makes SQLite roll back by itself, theirs fail once more and hide the first.
        _begin = Command(writer, "BEGIN IMMEDIATE");
        _commit = Command(writer, "COMMIT");
        _deleteFrom = Command(writer, "DELETE FROM entries WHERE idx >= $idx", "$idx");
        _insert = Command(
            writer, $"INSERT INTO entries({EntryRow.Columns}) VALUES ($idx, $term, $kind, $checksum, $data)", "$idx", "$term", "$kind", "$checksum", "$data");
        _updateHardState = Command(
            writer, "REPLACE INTO hard_state VALUES (0, $term, $vote, $checksum)", "$term", "$vote", "$checksum");
    }

    /// <summary>Term and vote as last written.</summary>
    public HardState HardState { get; private set; }

    /// <summary>The identity of this log, a random number that was made with the file; never 0.</summary>
    public ulong LogId { get; private set; }

    /// <summary>The cluster that the log belongs to, or null while it is not known.</summary>
    public Guid? ClusterId
    {
        get
        {
            // Too wide to be read in one go.
            lock (_cacheLock)
            {
                return field;
            }
        }

        private set
        {
            lock (_cacheLock)
            {
                field = value;
            }
        }
    }

    /// <summary>Whether the log is new and its node may not vote yet; see <see cref="RaftNode.Release"/>.</summary>
    public bool IsHeldBack { get; private set; }

    public Membership? BaseMembership
    {
        get
        {
            lock (_cacheLock)
            {
                return _baseMembership;
            }
        }
    }

    /// <summary>The newest configuration in the log; null where there is none.</summary>
    public Membership? Membership => MembershipAt(LastIndex);

    /// <summary>How often the disk was waited for since the file was opened.</summary>
    public long SyncCount => Interlocked.Read(ref _syncCount);

    /// <summary>Bytes of the data of all entries that the log holds.</summary>
    public long EntryBytes => Volatile.Read(ref _bytes);

    public LogIndex BaseIndex
    {
        get
        {
            lock (_cacheLock)
            {
                return _baseIndex;
            }
        }
    }

    public LogIndex LastIndex
    {
        get
        {
            lock (_cacheLock)
            {
                return _lastIndex;
            }
        }
    }

    /// <summary>Opens or creates the log of one node.</summary>
    /// <param name="path">The file.</param>
    /// <param name="node">Whose log it must be.</param>
    /// <param name="options">Limits.</param>
    /// <exception cref="RaftStorageException">The file cannot be opened, is damaged, or belongs to another node.</exception>
    public static RaftStorage Open(string path, NodeId node, RaftStorageOptions options)
    {
        SqliteConnection? writer = null;
        SqliteConnection? reader = null;
        try
        {
            var fileBytes = File.Exists(path) ? new FileInfo(path).Length : 0;
            writer = Connect(path, SqliteOpenMode.ReadWriteCreate);
            if (RaftLogSchema.IsNew(writer, fileBytes))
            {
                Create(writer, node);
            }
            else
            {
                // Before anything is written to it.
                Check(path, writer);
            }

            Execute(writer, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
            reader = Connect(path, SqliteOpenMode.ReadOnly);
            var storage = new RaftStorage(path, writer, reader, options);
            storage.LoadMeta(node);
            storage.LoadHardState();
            storage.LoadEntries(storage.LoadBase());
            return storage;
        }
        catch (Exception e)
        {
            // Whatever was found, the file stays as it is.
            reader?.Dispose();
            writer?.KeepAsIs();
            writer?.Dispose();
            throw e is SqliteException sqlite ? OpenFailed(path, sqlite) : e;
        }
    }

    /// <summary>
    /// Writes term and vote (if given) and the entries, replacing whatever stood at or behind the first one's index, in one
    /// transaction. Once it returns, all of it is on disk.
    /// </summary>
    /// <exception cref="RaftStorageException">The disk failed; what it holds is unknown until the file is opened again, so the node must stop.</exception>
    public void Append(HardState? hardState, IReadOnlyList<Entry> entries)
    {
        Write(() => WriteEntries(hardState, entries));
        HardState = hardState ?? HardState;
        TakeOver(entries);
    }

    /// <summary>
    /// The same, and in the same transaction makes the log another cluster's, in which its node may vote: for recovery after the quorum was lost.
    /// </summary>
    /// <exception cref="RaftStorageException">The disk failed; nothing of it happened, or all.</exception>
    public void AppendAsNewCluster(Guid id, HardState hardState, IReadOnlyList<Entry> entries)
    {
        Write(() =>
        {
            WriteEntries(hardState, entries);
            PutMeta(_writer, ClusterIdKey, id.ToString());
            PutMeta(_writer, HeldBackKey, "0");
        });
        HardState = hardState;
        ClusterId = id;
        IsHeldBack = false;
        TakeOver(entries);
    }

    /// <summary>
    /// Cuts off old entries, whose effects a durable database holds, as far as the log is longer than it should be; a bounded number at a
    /// time, so that nothing waits long behind it.
    /// </summary>
    /// <param name="durable">Nothing behind this is cut.</param>
    /// <param name="tailEntriesMax">The log should have no more entries than this.</param>
    /// <param name="tailBytesMax">And no more bytes of data.</param>
    /// <returns>True when there is more to cut.</returns>
    /// <exception cref="RaftStorageException">The disk failed.</exception>
    public bool Trim(LogIndex durable, long tailEntriesMax, long tailBytesMax)
    {
        var surplus = LastIndex - BaseIndex - tailEntriesMax;
        if (surplus <= 0 && _bytes > tailBytesMax)
        {
            surplus = CountOldest(_bytes - tailBytesMax);
        }

        var to = LogIndex.Min(durable, BaseIndex + Math.Min(surplus, CutEntriesAtOnce));
        if (surplus <= 0 || to <= BaseIndex)
        {
            return false;
        }

        Rebase(to, TermAt(to), keepsTail: true, MembershipAt(to));
        return to < durable;
    }

    /// <summary>
    /// Lets the log begin behind a snapshot that was installed. What follows the snapshot's entry is kept where the log holds that very
    /// entry, and dropped otherwise: then it is another leader's, or missing. Does nothing where the log begins behind that entry already.
    /// On disk when it returns.
    /// </summary>
    /// <param name="index">The last entry whose effects the snapshot holds.</param>
    /// <param name="term">That entry's term.</param>
    /// <param name="membership">The newest configuration up to there; null where there was none.</param>
    /// <exception cref="RaftStorageException">The disk failed.</exception>
    public void InstallBase(LogIndex index, Term term, Membership? membership)
    {
        if (index >= BaseIndex)
        {
            Rebase(index, term, keepsTail: index <= LastIndex && TermAt(index) == term, membership);
        }
    }

    /// <summary>Writes down which cluster the log belongs to. On disk when it returns. Belongs to the thread of <see cref="Append"/>.</summary>
    /// <exception cref="RaftStorageException">The disk failed.</exception>
    public void SetClusterId(Guid id)
    {
        Write(() => PutMeta(_writer, ClusterIdKey, id.ToString()));
        ClusterId = id;
    }

    /// <summary>Writes down that the node may vote from now on. On disk when it returns. Belongs to the thread of <see cref="Append"/>.</summary>
    /// <exception cref="RaftStorageException">The disk failed.</exception>
    public void Release()
    {
        Write(() => PutMeta(_writer, HeldBackKey, "0"));
        IsHeldBack = false;
    }

    public Term TermAt(LogIndex index)
    {
        lock (_cacheLock)
        {
            if (index == _baseIndex)
            {
                return _baseTerm;
            }

            CheckWithin(index);
            if (_cache.Find(index) is { } entry)
            {
                return entry.Term;
            }
        }

        return ReadFromDisk(index, index, 0)[0].Term;
    }

    public IReadOnlyList<Entry> Read(LogIndex from, LogIndex to, int bytesMax)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(from, to);
        lock (_cacheLock)
        {
            CheckWithin(from);
            CheckWithin(to);
            if (_cache.Read(from, to, bytesMax) is { } cached)
            {
                return cached;
            }
        }

        return ReadFromDisk(from, to, bytesMax);
    }

    public IReadOnlyList<Entry> ReadConfigurations()
    {
        lock (_cacheLock)
        {
            return [.. _configurations];
        }
    }

    public void Dispose()
    {
        _begin.Dispose();
        _commit.Dispose();
        _deleteFrom.Dispose();
        _insert.Dispose();
        _updateHardState.Dispose();
        _reader.Dispose();
        _writer.Dispose();
    }

    private static SqliteConnection Connect(string path, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false }.ToString());
        connection.Open();
        return connection;
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private static SqliteCommand Command(SqliteConnection connection, string sql, params ReadOnlySpan<string> parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(new() { ParameterName = parameter });
        }

        command.Prepare();
        return command;
    }

    /// <summary>All that a new file holds, in one transaction, so that what is missing later is damage.</summary>
    private static void Create(SqliteConnection writer, NodeId node)
    {
        Execute(writer, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE");
        RaftLogSchema.Create(writer);
        PutMeta(writer, FormatKey, Format);
        PutMeta(writer, NodeKey, node.ToString());
        PutMeta(writer, LogIdKey, (BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) | 1).ToString(CultureInfo.InvariantCulture));
        PutMeta(writer, ClusterIdKey, "");
        PutMeta(writer, HeldBackKey, "1");
        Execute(writer, string.Create(
            CultureInfo.InvariantCulture,
            $"""
            INSERT INTO hard_state VALUES (0, 0, NULL, {Checksum.OfHardState(0, Nobody)});
            INSERT INTO base VALUES (0, 0, 0, {Checksum.OfBase(0, 0, [])}, NULL);
            COMMIT
            """));
    }

    private static void Check(string path, SqliteConnection writer)
    {
        using (var select = Command(writer, "SELECT value FROM meta WHERE key = $key", "$key"))
        {
            select.Parameters[0].Value = FormatKey;
            if (select.ExecuteScalar() is string found and not Format)
            {
                throw new RaftStorageException(
                    $"The Raft log {path} has format {found}, this version of distdb reads format {Format}. Nothing was changed; use the version that wrote it, or a newer one.");
            }
        }

        if (RaftLogSchema.FindDamage(writer) is { } damage)
        {
            throw Damaged(path, damage);
        }
    }

    private static void PutMeta(SqliteConnection writer, string key, string value)
    {
        using var replace = Command(writer, "REPLACE INTO meta VALUES ($key, $value, $checksum)", "$key", "$value", "$checksum");
        replace.Parameters[0].Value = key;
        replace.Parameters[1].Value = value;
        replace.Parameters[2].Value = Checksum.OfMeta(key, value);
        replace.ExecuteNonQuery();
    }

    private void LoadMeta(NodeId node)
    {
        if (GetMeta(NodeKey) is var found && found != node.ToString())
        {
            throw new RaftStorageException(
                $"The Raft log {_path} belongs to node {found}, not to node {node}. Nothing was changed; start this node with its own data folder.");
        }

        LogId = ulong.Parse(GetMeta(LogIdKey), CultureInfo.InvariantCulture);
        IsHeldBack = GetMeta(HeldBackKey) == "1";
        ClusterId = GetMeta(ClusterIdKey) is { Length: > 0 } id ? Guid.Parse(id) : null;
    }

    private string GetMeta(string key)
    {
        using var select = Command(_writer, "SELECT value, checksum FROM meta WHERE key = $key", "$key");
        select.Parameters[0].Value = key;
        using var row = select.ExecuteReader();
        return row.Read() && row.GetValue(0) is string value && row.GetValue(1) is long sum && sum == Checksum.OfMeta(key, value)
            ? value
            : throw Damaged(_path, $"its {key.Replace('_', ' ')} is not what was written");
    }

    private void LoadHardState()
    {
        using var select = Command(_writer, "SELECT term, ifnull(voted_for, $nobody), checksum FROM hard_state", "$nobody");
        select.Parameters[0].Value = Nobody;
        using var row = select.ExecuteReader();
        if (!row.Read() || row.GetValue(0) is not long term || row.GetValue(1) is not long vote
            || row.GetValue(2) is not long sum || sum != Checksum.OfHardState(term, vote))
        {
            throw Damaged(_path, "term and vote are not what was written");
        }

        HardState = new(new(term), vote == Nobody ? null : new NodeId((int)vote));
    }

    private (LogIndex Index, Term Term) LoadBase()
    {
        using var select = Command(_writer, "SELECT idx, term, ifnull(membership, x''), checksum FROM base");
        using var row = select.ExecuteReader();
        if (!row.Read() || row.GetValue(0) is not long index || row.GetValue(1) is not long term || row.GetValue(2) is not byte[] membership
            || row.GetValue(3) is not long sum || sum != Checksum.OfBase(index, term, membership))
        {
            throw Damaged(_path, "its beginning is not what was written");
        }

        (_baseIndex, _baseTerm) = (new(index), new(term));
        _baseMembership = membership.Length == 0 ? null : DecodeMembership(membership);
        return (_baseIndex, _baseTerm);
    }

    /// <summary>Looks at every entry once, as damage is better found while it can be healed than when the entry is needed.</summary>
    private void LoadEntries((LogIndex Index, Term Term) last)
    {
        using var select = Command(_writer, $"SELECT {EntryRow.Columns} FROM entries ORDER BY idx");
        using var rows = select.ExecuteReader();
        while (rows.Read())
        {
            if (!EntryRow.TryRead(rows, out var row))
            {
                throw Damaged(_path, $"an entry behind {last.Index} is not what was written");
            }

            if (row.Index != last.Index.Next || row.Term < last.Term)
            {
                throw Damaged(_path, $"it begins behind {_baseIndex}, and entry {row.Index} of term {row.Term} comes behind entry {last.Index} of term {last.Term}");
            }

            if (row.Kind == EntryKind.Configuration)
            {
                _configurations.Add(row.ToEntry());
            }

            _bytes += row.Data.Length;
            last = (row.Index, row.Term);
        }

        _lastIndex = last.Index;
    }

    private Membership DecodeMembership(ReadOnlySpan<byte> bytes)
    {
        try
        {
            return MembershipCodec.Decode(bytes);
        }
        catch (FormatException e)
        {
            throw Damaged(_path, e.Message);
        }
    }

    /// <summary>The newest configuration up to an index that the log holds.</summary>
    private Membership? MembershipAt(LogIndex index)
    {
        lock (_cacheLock)
        {
            return _configurations.FindLast(e => e.Index <= index) is { } entry ? DecodeMembership(entry.Data.Span) : _baseMembership;
        }
    }

    private void Write(Action write)
    {
        try
        {
            _begin.ExecuteNonQuery();
            write();
            var started = Stopwatch.GetTimestamp();
            _commit.ExecuteNonQuery();
            _instruments?.LogSynced(started);
        }
        catch (SqliteException e)
        {
            // Closing would move what the file's write-ahead log holds, and sync it, which after a failed sync must not be tried again.
            _writer.KeepAsIs();
            throw WriteFailed(e);
        }

        Interlocked.Increment(ref _syncCount);
    }

    private void WriteEntries(HardState? hardState, IReadOnlyList<Entry> entries)
    {
        if (hardState is { } state)
        {
            _updateHardState.Parameters[0].Value = state.Term.Value;
            _updateHardState.Parameters[1].Value = state.VotedFor is { } vote ? vote.Value : DBNull.Value;
            _updateHardState.Parameters[2].Value = Checksum.OfHardState(state.Term.Value, state.VotedFor?.Value ?? Nobody);
            _updateHardState.ExecuteNonQuery();
        }

        if (entries.Count > 0 && entries[0].Index <= LastIndex)
        {
            _bytes -= SumBytes("idx >= $idx", entries[0].Index);
            _deleteFrom.Parameters[0].Value = entries[0].Index.Value;
            _deleteFrom.ExecuteNonQuery();
        }

        foreach (var entry in entries)
        {
            _insert.Parameters[0].Value = entry.Index.Value;
            _insert.Parameters[1].Value = entry.Term.Value;
            _insert.Parameters[2].Value = (int)entry.Kind;
            _insert.Parameters[3].Value = Checksum.OfEntry(entry.Index.Value, entry.Term.Value, (long)entry.Kind, entry.Data.Span);
            _insert.Parameters[4].Value = entry.Data.ToArray();
            _insert.ExecuteNonQuery();
            _bytes += entry.Data.Length;
        }
    }

    /// <summary>Keeps in memory what was written.</summary>
    private void TakeOver(IReadOnlyList<Entry> entries)
    {
        if (entries.Count == 0)
        {
            return;
        }

        _instruments?.LogAppended(entries.Count, entries.Sum(e => (long)e.Data.Length));
        lock (_cacheLock)
        {
            _cache.Append(entries);
            _configurations.RemoveAll(e => e.Index >= entries[0].Index);
            _configurations.AddRange(entries.Where(e => e.Kind == EntryKind.Configuration));
            _lastIndex = entries[^1].Index;
        }
    }

    /// <summary>Moves the log's beginning and deletes what that makes needless, in one transaction.</summary>
    private void Rebase(LogIndex index, Term term, bool keepsTail, Membership? membership)
    {
        var needless = keepsTail ? "idx <= $idx" : "$idx IS NOT NULL";
        Write(() =>
        {
            var bytes = membership is null ? [] : MembershipCodec.Encode(membership);
            using var update = Command(
                _writer, "REPLACE INTO base VALUES (0, $idx, $term, $checksum, $membership)", "$idx", "$term", "$checksum", "$membership");
            update.Parameters[0].Value = index.Value;
            update.Parameters[1].Value = term.Value;
            update.Parameters[2].Value = Checksum.OfBase(index.Value, term.Value, bytes);
            update.Parameters[3].Value = membership is null ? DBNull.Value : bytes;
            update.ExecuteNonQuery();
            _bytes -= SumBytes(needless, index);
            using var deletion = Command(_writer, "DELETE FROM entries WHERE " + needless, "$idx");
            deletion.Parameters[0].Value = index.Value;
            deletion.ExecuteNonQuery();
        });

        lock (_cacheLock)
        {
            (_baseIndex, _baseTerm, _baseMembership) = (index, term, membership);
            if (keepsTail)
            {
                _cache.ForgetUpTo(index);
                _configurations.RemoveAll(e => e.Index <= index);
            }
            else
            {
                _cache.Clear();
                _configurations.Clear();
                _lastIndex = index;
            }
        }
    }

    /// <summary>How many of the oldest entries have so many bytes; a few at a time, as they are large.</summary>
    private int CountOldest(long bytes)
    {
        try
        {
            using var select = Command(_writer, "SELECT length(data) FROM entries ORDER BY idx LIMIT $count", "$count");
            select.Parameters[0].Value = CutLargeEntriesAtOnce;
            using var sizes = select.ExecuteReader();
            var count = 0;
            for (; bytes > 0 && sizes.Read(); count++)
            {
                bytes -= sizes.GetInt64(0);
            }

            return count;
        }
        catch (SqliteException e)
        {
            throw ReadFailed(e);
        }
    }

    private long SumBytes(string which, LogIndex index)
    {
        using var sum = Command(_writer, "SELECT ifnull(sum(length(data)), 0) FROM entries WHERE " + which, "$idx");
        sum.Parameters[0].Value = index.Value;
        return Convert.ToInt64(sum.ExecuteScalar(), CultureInfo.InvariantCulture);
    }

    private RaftStorageException WriteFailed(SqliteException e) => new(
        $"Writing the Raft log {_path} failed: {e.Message} What was acknowledged before is kept. Free space or replace the disk, then start the node again.",
        e);

    private RaftStorageException ReadFailed(SqliteException e) => IsDamage(e)
        ? Damaged(_path, e.Message, e)
        : new($"Reading the Raft log {_path} failed: {e.Message} Check the disk, then start the node again.", e);

    private static RaftStorageException OpenFailed(string path, SqliteException e) => IsDamage(e)
        ? Damaged(path, e.Message, e)
        : new(
            $"The Raft log {path} cannot be opened: {e.Message} Nothing was changed. Check the folder's permissions and the disk, then start the node again.",
            e);

    /// <summary>Whether SQLite complains about what the file says, and not about the disk.</summary>
    private static bool IsDamage(SqliteException e) =>
        e.SqliteErrorCode is raw.SQLITE_ERROR or raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB or raw.SQLITE_FORMAT;

    private void CheckWithin(LogIndex index)
    {
        if (index <= _baseIndex || index > _lastIndex)
        {
            throw new ArgumentOutOfRangeException(nameof(index), index, $"The log begins behind {_baseIndex} and ends at {_lastIndex}.");
        }
    }

    private List<Entry> ReadFromDisk(LogIndex from, LogIndex to, int bytesMax)
    {
        try
        {
            lock (_readerLock)
            {
                using var select = Command(
                    _reader, $"SELECT {EntryRow.Columns} FROM entries WHERE idx BETWEEN $from AND $to ORDER BY idx", "$from", "$to");
                select.Parameters[0].Value = from.Value;
                select.Parameters[1].Value = to.Value;
                using var rows = select.ExecuteReader();
                var entries = new List<Entry>();
                long bytes = 0;
                while (rows.Read())
                {
                    var next = from + entries.Count;
                    if (!EntryRow.TryRead(rows, out var row))
                    {
                        throw Damaged(_path, $"entry {next} is not what was written");
                    }

                    bytes += row.Data.Length;
                    if (entries.Count > 0 && bytes > bytesMax)
                    {
                        break;
                    }

                    if (row.Index != next)
                    {
                        throw Damaged(_path, $"entry {next} is missing");
                    }

                    entries.Add(row.ToEntry());
                }

                return entries.Count > 0 ? entries : throw Damaged(_path, $"entry {from} is missing");
            }
        }
        catch (SqliteException e)
        {
            throw ReadFailed(e);
        }
    }

    private static RaftStorageException Damaged(string path, string what, Exception? inner = null) => new(
        $"The Raft log {path} is damaged: {what.TrimEnd('.')}. Nothing was changed. Start this node once with --rebuild: it sets its files aside and learns everything from its peers.",
        inner);
}
