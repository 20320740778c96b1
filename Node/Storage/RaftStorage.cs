using System.Globalization;
using System.Security.Cryptography;
using DistDb.Node.Raft;
using Microsoft.Data.Sqlite;

namespace DistDb.Node.Storage;

/// <summary>
/// The Raft log, term and vote on disk: one SQLite file (<c>raft.db</c>) in WAL mode with <c>synchronous=FULL</c>, so that one commit is
/// one fsync and torn writes are SQLite's business (docs/adr/0002). Owns the file; the newest entries are kept in memory as well,
/// because nearly every read asks for them.
/// <para><see cref="Append"/> belongs to one thread (the Raft loop); everything else may be called from any.</para>
/// <code>
/// meta        key TEXT PRIMARY KEY, value TEXT          format, node, log_id, cluster_id, held_back
/// hard_state  id = 0, term, voted_for (NULL: nobody)
/// base        id = 0, idx, term, membership             the last entry that was cut off (0, 0: none), the newest configuration up to there
/// entries     idx INTEGER PRIMARY KEY, term, kind, data BLOB
/// </code>
/// </summary>
public sealed class RaftStorage : ILogStore, IDisposable
{
    private const string Format = "2";

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
    private LogIndex _baseIndex;
    private Term _baseTerm;
    private LogIndex _lastIndex;
    private Membership? _baseMembership;
    private long _syncCount;

    // Of all entries' data; the writing thread's own.
    private long _bytes;

    private RaftStorage(string path, SqliteConnection writer, SqliteConnection reader, RaftStorageOptions options)
    {
        _path = path;
        _writer = writer;
        _reader = reader;
        _cache = new(options.CachedBytesMax);

        // Not the library's transactions: after an error that makes SQLite roll back by itself, theirs fail once more and hide the first.
        _begin = Command(writer, "BEGIN IMMEDIATE");
        _commit = Command(writer, "COMMIT");
        _deleteFrom = Command(writer, "DELETE FROM entries WHERE idx >= $idx", "$idx");
        _insert = Command(
            writer, "INSERT INTO entries(idx, term, kind, data) VALUES ($idx, $term, $kind, $data)", "$idx", "$term", "$kind", "$data");
        _updateHardState = Command(writer, "UPDATE hard_state SET term = $term, voted_for = $vote WHERE id = 0", "$term", "$vote");
    }

    /// <summary>Term and vote as last written.</summary>
    public HardState HardState { get; private set; }

    /// <summary>The identity of this log, a random number that was made with the file; never 0.</summary>
    public ulong LogId { get; private set; }

    /// <summary>The cluster that the log belongs to, or null while it is not known.</summary>
    public Guid? ClusterId { get; private set; }

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

    /// <summary>How often the disk was waited for since the file was opened.</summary>
    public long SyncCount => Interlocked.Read(ref _syncCount);

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
            writer = Connect(path, SqliteOpenMode.ReadWriteCreate);
            Execute(writer, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
            Execute(writer, """
                BEGIN IMMEDIATE;
                CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
                CREATE TABLE IF NOT EXISTS hard_state (id INTEGER PRIMARY KEY CHECK (id = 0), term INTEGER NOT NULL, voted_for INTEGER);
                CREATE TABLE IF NOT EXISTS entries (idx INTEGER PRIMARY KEY, term INTEGER NOT NULL, kind INTEGER NOT NULL, data BLOB NOT NULL);
                CREATE TABLE IF NOT EXISTS base (id INTEGER PRIMARY KEY CHECK (id = 0), idx INTEGER NOT NULL, term INTEGER NOT NULL, membership BLOB);
                CREATE INDEX IF NOT EXISTS configurations ON entries(idx) WHERE kind = 2;
                INSERT OR IGNORE INTO hard_state VALUES (0, 0, NULL);
                INSERT OR IGNORE INTO base VALUES (0, 0, 0, NULL);
                COMMIT;
                """);
            reader = Connect(path, SqliteOpenMode.ReadOnly);
            var storage = new RaftStorage(path, writer, reader, options);
            storage.ClaimFor(node);
            storage.Load();
            return storage;
        }
        catch (SqliteException e)
        {
            reader?.Dispose();
            writer?.Dispose();
            throw new RaftStorageException(
                $"The Raft log {path} cannot be opened: {e.Message} Nothing was changed. Check the folder's permissions and the disk; if the file is damaged, restore this node's folder or start the node with an empty one.",
                e);
        }
        catch
        {
            reader?.Dispose();
            writer?.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Writes term and vote (if given) and the entries, replacing whatever stood at or behind the first one's index, in one
    /// transaction. Once it returns, all of it is on disk.
    /// </summary>
    /// <exception cref="RaftStorageException">The disk failed; what it holds is unknown until the file is opened again, so the node must stop.</exception>
    public void Append(HardState? hardState, IReadOnlyList<Entry> entries)
    {
        try
        {
            _begin.ExecuteNonQuery();
            if (hardState is { } state)
            {
                _updateHardState.Parameters[0].Value = state.Term.Value;
                _updateHardState.Parameters[1].Value = state.VotedFor is { } vote ? vote.Value : DBNull.Value;
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
                _insert.Parameters[3].Value = entry.Data.ToArray();
                _insert.ExecuteNonQuery();
                _bytes += entry.Data.Length;
            }

            _commit.ExecuteNonQuery();
        }
        catch (SqliteException e)
        {
            throw WriteFailed(e);
        }

        Interlocked.Increment(ref _syncCount);
        HardState = hardState ?? HardState;
        if (entries.Count > 0)
        {
            lock (_cacheLock)
            {
                _cache.Append(entries);
                _lastIndex = entries[^1].Index;
            }
        }
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
            // Large entries: a few at a time, until they fit.
            surplus = CutLargeEntriesAtOnce;
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
        WriteMeta("cluster_id", id.ToString());
        ClusterId = id;
    }

    /// <summary>Writes down that the node may vote from now on. On disk when it returns. Belongs to the thread of <see cref="Append"/>.</summary>
    /// <exception cref="RaftStorageException">The disk failed.</exception>
    public void Release()
    {
        WriteMeta("held_back", "0");
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
        try
        {
            lock (_readerLock)
            {
                using var select = Command(_reader, "SELECT idx, term, data FROM entries WHERE kind = 2 AND idx > $base ORDER BY idx", "$base");
                select.Parameters[0].Value = BaseIndex.Value;
                using var row = select.ExecuteReader();
                var entries = new List<Entry>();
                while (row.Read())
                {
                    entries.Add(new(new(row.GetInt64(0)), new(row.GetInt64(1)), EntryKind.Configuration, row.GetFieldValue<byte[]>(2)));
                }

                return entries;
            }
        }
        catch (SqliteException e)
        {
            throw ReadFailed(e);
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

    private void ClaimFor(NodeId node)
    {
        CheckMeta("format", Format, found =>
            $"The Raft log {_path} has format {found}, this version of distdb reads format {Format}. Nothing was changed; use the version that wrote it, or a newer one.");
        CheckMeta("node", node.ToString(), found =>
            $"The Raft log {_path} belongs to node {found}, not to node {node}. Nothing was changed; start this node with its own data folder.");
        var drawn = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(8)) | 1;
        LogId = ulong.Parse(GetOrAddMeta("log_id", drawn.ToString(CultureInfo.InvariantCulture)), CultureInfo.InvariantCulture);
        IsHeldBack = GetOrAddMeta("held_back", "1") == "1";
        ClusterId = FindMeta("cluster_id") is { } id ? Guid.Parse(id) : null;
    }

    /// <summary>Writes a fact at the file's first opening and demands the same ever after.</summary>
    private void CheckMeta(string key, string value, Func<string, string> mismatch)
    {
        var found = GetOrAddMeta(key, value);
        if (found != value)
        {
            throw new RaftStorageException(mismatch(found));
        }
    }

    private string GetOrAddMeta(string key, string value)
    {
        using (var insert = Command(_writer, "INSERT OR IGNORE INTO meta VALUES ($key, $value)", "$key", "$value"))
        {
            insert.Parameters[0].Value = key;
            insert.Parameters[1].Value = value;
            insert.ExecuteNonQuery();
        }

        return FindMeta(key)!;
    }

    private string? FindMeta(string key)
    {
        using var select = Command(_writer, "SELECT value FROM meta WHERE key = $key", "$key");
        select.Parameters[0].Value = key;
        return (string?)select.ExecuteScalar();
    }

    private void WriteMeta(string key, string value)
    {
        try
        {
            using var replace = Command(_writer, "REPLACE INTO meta VALUES ($key, $value)", "$key", "$value");
            replace.Parameters[0].Value = key;
            replace.Parameters[1].Value = value;
            replace.ExecuteNonQuery();
        }
        catch (SqliteException e)
        {
            throw WriteFailed(e);
        }
    }

    private void Load()
    {
        using (var select = Command(_writer, "SELECT term, voted_for FROM hard_state"))
        using (var row = select.ExecuteReader())
        {
            if (!row.Read())
            {
                throw Damaged("term and vote are missing");
            }

            HardState = new(new(row.GetInt64(0)), row.IsDBNull(1) ? null : new NodeId(row.GetInt32(1)));
        }

        using var bounds = Command(
            _writer,
            """
            SELECT base.idx, base.term, count(entries.idx), ifnull(min(entries.idx), base.idx + 1), ifnull(max(entries.idx), base.idx), base.membership
            FROM base LEFT JOIN entries
            """);
        using var found = bounds.ExecuteReader();
        if (!found.Read() || found.IsDBNull(0))
        {
            throw Damaged("its beginning is missing");
        }

        (_baseIndex, _baseTerm) = (new(found.GetInt64(0)), new(found.GetInt64(1)));
        var (count, first, last) = (found.GetInt64(2), found.GetInt64(3), found.GetInt64(4));
        if (first != _baseIndex.Next.Value || last != _baseIndex.Value + count)
        {
            throw Damaged(string.Create(
                CultureInfo.InvariantCulture, $"it begins behind {_baseIndex} and has {count} entries between {first} and {last}"));
        }

        _lastIndex = new(last);
        _baseMembership = found.IsDBNull(5) ? null : DecodeMembership(found.GetFieldValue<byte[]>(5));
        _bytes = SumBytes("idx > $idx", _baseIndex);
    }

    private Membership DecodeMembership(byte[] bytes)
    {
        try
        {
            return MembershipCodec.Decode(bytes);
        }
        catch (FormatException e)
        {
            throw Damaged(e.Message);
        }
    }

    /// <summary>The newest configuration up to an index that the log holds.</summary>
    private Membership? MembershipAt(LogIndex index)
    {
        using var select = Command(_writer, "SELECT data FROM entries WHERE kind = 2 AND idx <= $idx ORDER BY idx DESC LIMIT 1", "$idx");
        select.Parameters[0].Value = index.Value;
        return select.ExecuteScalar() is byte[] data ? DecodeMembership(data) : BaseMembership;
    }

    /// <summary>Moves the log's beginning and deletes what that makes needless, in one transaction.</summary>
    private void Rebase(LogIndex index, Term term, bool keepsTail, Membership? membership)
    {
        var needless = keepsTail ? "idx <= $idx" : "$idx IS NOT NULL";
        try
        {
            _begin.ExecuteNonQuery();
            using var update = Command(_writer, "UPDATE base SET idx = $idx, term = $term, membership = $membership", "$idx", "$term", "$membership");
            update.Parameters[0].Value = index.Value;
            update.Parameters[1].Value = term.Value;
            update.Parameters[2].Value = membership is null ? DBNull.Value : MembershipCodec.Encode(membership);
            update.ExecuteNonQuery();
            _bytes -= SumBytes(needless, index);
            using var deletion = Command(_writer, "DELETE FROM entries WHERE " + needless, "$idx");
            deletion.Parameters[0].Value = index.Value;
            deletion.ExecuteNonQuery();
            _commit.ExecuteNonQuery();
        }
        catch (SqliteException e)
        {
            throw WriteFailed(e);
        }

        lock (_cacheLock)
        {
            (_baseIndex, _baseTerm, _baseMembership) = (index, term, membership);
            if (keepsTail)
            {
                _cache.ForgetUpTo(index);
            }
            else
            {
                _cache.Clear();
                _lastIndex = index;
            }
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

    private RaftStorageException ReadFailed(SqliteException e) =>
        new($"Reading the Raft log {_path} failed: {e.Message} Check the disk, then start the node again.", e);

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
                    _reader, "SELECT idx, term, kind, data FROM entries WHERE idx BETWEEN $from AND $to ORDER BY idx", "$from", "$to");
                select.Parameters[0].Value = from.Value;
                select.Parameters[1].Value = to.Value;
                using var row = select.ExecuteReader();
                var entries = new List<Entry>();
                long bytes = 0;
                while (row.Read())
                {
                    var entry = new Entry(new(row.GetInt64(0)), new(row.GetInt64(1)), (EntryKind)row.GetByte(2), row.GetFieldValue<byte[]>(3));
                    bytes += entry.Data.Length;
                    if (entries.Count > 0 && bytes > bytesMax)
                    {
                        break;
                    }

                    if (entry.Index != from + entries.Count)
                    {
                        throw Damaged($"entry {from + entries.Count} is missing");
                    }

                    entries.Add(entry);
                }

                return entries.Count > 0 ? entries : throw Damaged($"entry {from} is missing");
            }
        }
        catch (SqliteException e)
        {
            throw ReadFailed(e);
        }
    }

    private RaftStorageException Damaged(string what) =>
        new($"The Raft log {_path} is damaged: {what}. Nothing was changed; restore this node's folder from a copy, or start the node with an empty one so that it learns everything from its peers.");
}
