using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Storage;
using Microsoft.Data.Sqlite;

namespace DistDb.Node.Archive;

/// <summary>
/// Writes a piece of the log: a SQLite file, which is there under its name only once it is whole and on disk (docs/adr/0015). Used by one thread at a time.
/// <code>
/// piece      format = 1, cluster_id TEXT, node, first_index, last_index, first_time_ms, last_time_ms (NULL: no entry has a time), sqlite TEXT
/// entries    idx INTEGER PRIMARY KEY, term, kind, checksum, data BLOB, overruled      as in raft.db; overruled: NULL, or a digest of what a majority observed
/// </code>
/// </summary>
internal sealed class ArchivePieceWriter : IDisposable
{
    public const long Format = 1;

    private readonly string _folder;
    private readonly Guid _clusterId;
    private readonly NodeId _node;
    private readonly string _draft;
    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _insert;
    private LogIndex? _first;
    private LogIndex _last;
    private long? _firstTimeMs;
    private long? _lastTimeMs;

    /// <summary>Begins a piece.</summary>
    /// <param name="folder">A folder that exists.</param>
    /// <param name="clusterId">The cluster.</param>
    /// <param name="node">Whose log it is.</param>
    /// <exception cref="SqliteException">It cannot be written.</exception>
    /// <exception cref="IOException">What another process left cannot be deleted.</exception>
    public ArchivePieceWriter(string folder, Guid clusterId, NodeId node)
    {
        _folder = folder;
        _clusterId = clusterId;
        _node = node;
        _draft = System.IO.Path.Combine(folder, ArchivedPiece.DraftNameOf(clusterId, node));
        File.Delete(_draft);
        _connection = PlainSqlite.Open(_draft);
        _insert = _connection.CreateCommand();
        try
        {
            // What a crash leaves of it is of no use anyway: the log still has it.
            PlainSqlite.Run(_connection, "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; BEGIN");
            PlainSqlite.Run(
                _connection,
                """
                CREATE TABLE piece(
                    format INTEGER NOT NULL, cluster_id TEXT NOT NULL, node INTEGER NOT NULL, first_index INTEGER NOT NULL, last_index INTEGER NOT NULL,
                    first_time_ms INTEGER, last_time_ms INTEGER, sqlite TEXT NOT NULL)
                """);
            PlainSqlite.Run(_connection, "CREATE TABLE entries(idx INTEGER PRIMARY KEY, term INTEGER NOT NULL, kind INTEGER NOT NULL, checksum INTEGER NOT NULL, data BLOB NOT NULL, overruled INTEGER)");
            _insert.CommandText = "INSERT INTO entries(idx, term, kind, checksum, data, overruled) VALUES ($idx, $term, $kind, $checksum, $data, $overruled)";
            foreach (var name in (string[])["$idx", "$term", "$kind", "$checksum", "$data", "$overruled"])
            {
                _insert.Parameters.Add(new() { ParameterName = name });
            }
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Bytes of the entries' data.</summary>
    public long Bytes { get; private set; }

    /// <summary>Adds the next entry.</summary>
    /// <exception cref="SqliteException">It cannot be written; the piece is of no use.</exception>
    public void Add(ArchivedEntry archived)
    {
        var (entry, overruled) = archived;
        Invariant.Check(_first is null || entry.Index == _last.Next, "a piece has no gap");
        _insert.Parameters[0].Value = entry.Index.Value;
        _insert.Parameters[1].Value = entry.Term.Value;
        _insert.Parameters[2].Value = (long)entry.Kind;
        _insert.Parameters[3].Value = Checksum.OfEntry(entry.Index.Value, entry.Term.Value, (long)entry.Kind, entry.Data.Span);
        _insert.Parameters[4].Value = entry.Data.ToArray();
        _insert.Parameters[5].Value = overruled is { } observation ? unchecked((long)observation) : DBNull.Value;
        _insert.ExecuteNonQuery();
        if (entry.Kind == EntryKind.Command && LogCommandCodec.TimeOf(entry.Data.Span) is { } timeMs)
        {
            _firstTimeMs ??= timeMs;
            _lastTimeMs = timeMs;
        }

        _first ??= entry.Index;
        _last = entry.Index;
        Bytes += entry.Data.Length;
    }

    /// <summary>Ends the piece, which has at least one entry. On disk, under its name, when it returns.</summary>
    /// <returns>Its last entry.</returns>
    /// <exception cref="SqliteException">It cannot be written.</exception>
    /// <exception cref="IOException">It cannot be synced or renamed.</exception>
    public LogIndex Close()
    {
        using (var insert = _connection.CreateCommand())
        {
            insert.CommandText = "INSERT INTO piece VALUES ($format, $cluster, $node, $first, $last, $firstTime, $lastTime, $sqlite)";
            insert.Parameters.AddWithValue("$format", Format);
            insert.Parameters.AddWithValue("$cluster", _clusterId.ToString());
            insert.Parameters.AddWithValue("$node", _node.Value);
            insert.Parameters.AddWithValue("$first", _first!.Value.Value);
            insert.Parameters.AddWithValue("$last", _last.Value);
            insert.Parameters.AddWithValue("$firstTime", _firstTimeMs ?? (object)DBNull.Value);
            insert.Parameters.AddWithValue("$lastTime", _lastTimeMs ?? (object)DBNull.Value);
            insert.Parameters.AddWithValue("$sqlite", SqliteLibrary.Fingerprint);
            insert.ExecuteNonQuery();
        }

        PlainSqlite.Run(_connection, "COMMIT");
        Dispose();
        using (var handle = File.OpenHandle(_draft, FileMode.Open, FileAccess.ReadWrite))
        {
            RandomAccess.FlushToDisk(handle);
        }

        File.Move(_draft, System.IO.Path.Combine(_folder, ArchivedPiece.NameOf(_clusterId, _node, _first!.Value, _last)), overwrite: true);
        FolderSync.Flush(_folder);
        return _last;
    }

    /// <summary>Gives up what was not closed; the next piece overwrites it.</summary>
    public void Dispose()
    {
        _insert.Dispose();
        _connection.Dispose();
    }
}
