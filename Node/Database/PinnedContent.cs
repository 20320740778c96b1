using System.Runtime.InteropServices;

namespace DistDb.Node.Database;

/// <summary>
/// The content of a database file at one log entry, held fast by a read transaction while the writer goes on. It is opened between two
/// entries, by whoever writes, and then used by any one thread at a time. As long as it is open, SQLite's write-ahead log cannot begin anew.
/// </summary>
public sealed class PinnedContent : IDisposable
{
    /// <summary>What the schema is called among the tables.</summary>
    public const string SchemaName = "sqlite_schema";

    private const int InterruptCode = 9;
    private const int DamageLinesMax = 5;

    /// <summary>More than those that only tell of broken rules, one hopes, so that damage is not hidden behind them.</summary>
    private const int CheckLinesMax = 10_000;

    private readonly Connection _connection;

    private PinnedContent(string name, Connection connection)
    {
        Name = name;
        _connection = connection;
    }

    /// <summary>The database's name.</summary>
    public string Name { get; }

    /// <summary>Opens the file between two entries.</summary>
    /// <param name="name">The database's name.</param>
    /// <param name="path">Its file.</param>
    /// <param name="index">The entry that the file is known to be at, or null where that is not known.</param>
    /// <exception cref="ReplicaDivergedException">The file at that place is not at that entry: it is not the one that was written.</exception>
    /// <exception cref="StorageFailedException">The file cannot be read.</exception>
    public static PinnedContent Open(string name, string path, long? index)
    {
        var connection = Connection.OpenReader(path);
        try
        {
            connection.RunInternal("BEGIN");
            using var state = connection.CreateInternal("SELECT applied_index FROM _distdb_state");
            var found = state.Step() ? state.Integer(0) : -1;
            return index is null || found == index
                ? new(name, connection)
                : throw new ReplicaDivergedException(
                    $"The file {path} is at entry {found}, but this node has written entry {index}: somebody put another file in its place.");
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Reads everything. What SQLite finds wrong with the file is part of the answer.</summary>
    /// <param name="cancellationToken">Ends it within a moment.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="StorageFailedException">The disk or the memory failed, which says nothing about the content.</exception>
    public DatabaseDigest Digest(CancellationToken cancellationToken) => Run(
        () =>
        {
            List<TableDigest> tables = [];
            string? damage;
            try
            {
                tables.AddRange(TableScan.All(_connection).Select(DigestOf));
                damage = Check();
            }
            catch (StorageFailedException e) when (e.IsDamage)
            {
                // The schema itself, or the check stumbled.
                damage = _connection.ErrorMessage;
            }

            return new DatabaseDigest(Name, damage ?? (tables.Exists(t => t.IsDamaged) ? "some tables cannot be read" : null), tables);
        },
        cancellationToken);

    /// <summary>The rows of a table whose keys fall into some of its parts, in the order of their keys; none where there is no such table.</summary>
    /// <param name="table">As <see cref="TableDigest.Name"/> has it.</param>
    /// <param name="buckets">Which parts, by number.</param>
    /// <param name="countMax">The list ends after so many.</param>
    /// <param name="cancellationToken">Ends it within a moment.</param>
    /// <exception cref="OperationCanceledException">Cancelled.</exception>
    /// <exception cref="StorageFailedException">The disk or the memory failed.</exception>
    public RowKeyList ListKeys(string table, IReadOnlySet<int> buckets, int countMax, CancellationToken cancellationToken) => Run(
        () =>
        {
            List<RowKey> keys = [];
            var end = ListEnd.Complete;
            try
            {
                if (TableScan.All(_connection).Find(s => s.Name == table) is { } scan)
                {
                    end = List(scan, buckets, countMax, keys);
                }
            }
            catch (StorageFailedException e) when (e.IsDamage)
            {
                end = ListEnd.Damage;
            }

            return new RowKeyList(keys, end);
        },
        cancellationToken);

    /// <summary>
    /// Copies the content into a new file, page by page, so that everything keeps its place and the copy answers every query in the same order.
    /// On disk when it returns.
    /// </summary>
    /// <exception cref="StorageFailedException">Reading or writing failed; the copy is of no use.</exception>
    public void CopyTo(string path) => DatabaseFile.Copy(_connection, path);

    public void Dispose() => _connection.Dispose();

    private T Run<T>(Func<T> read, CancellationToken cancellationToken)
    {
        _connection.Limit.Set(Timeout.InfiniteTimeSpan, cancellationToken);
        _connection.Limit.Arm();
        try
        {
            return read();
        }
        catch (StorageFailedException e) when (e.SqliteCode == InterruptCode && cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        finally
        {
            _connection.Limit.Disarm();
            _connection.Limit.Clear();
        }
    }

    private TableDigest DigestOf(TableScan scan)
    {
        Span<ulong> sums = stackalloc ulong[TableDigest.BucketCount];
        var hash = UInt128.Zero;
        long rowCount = 0;
        try
        {
            using var row = _connection.CreateInternal(scan.Sql);
            var columnCount = row.ColumnCount;
            var hasher = new RowHasher();
            while (row.Step())
            {
                var rowHash = hasher.Hash(row.Handle, 0, columnCount);
                hash = unchecked(hash + rowHash);
                ref var sum = ref sums[hasher.Bucket(row.Handle, scan.KeyColumnCount)];
                sum = unchecked(sum + (ulong)rowHash);
                rowCount++;
            }
        }
        catch (StorageFailedException e) when (e.IsDamage)
        {
            return new(scan.Name, rowCount, hash, null);
        }

        var buckets = new List<DigestBucket>();
        for (var number = 0; number < sums.Length; number++)
        {
            if (sums[number] != 0)
            {
                buckets.Add(new((byte)number, sums[number]));
            }
        }

        return new(scan.Name, rowCount, hash, buckets.ToArray());
    }

    private ListEnd List(TableScan scan, IReadOnlySet<int> buckets, int countMax, List<RowKey> keys)
    {
        using var row = _connection.CreateInternal(scan.Sql);
        var columnCount = row.ColumnCount;
        var hasher = new RowHasher();
        while (row.Step())
        {
            if (!buckets.Contains(hasher.Bucket(row.Handle, scan.KeyColumnCount)))
            {
                continue;
            }

            if (keys.Count == countMax)
            {
                return ListEnd.Limit;
            }

            keys.Add(new(scan.LabelOf(row), hasher.Hash(row.Handle, 0, columnCount)));
        }

        return ListEnd.Complete;
    }

    /// <summary>What SQLite's integrity check says, or null where it finds nothing.</summary>
    private string? Check()
    {
        List<string> lines = [];
        using var check = _connection.CreateInternal($"PRAGMA integrity_check({CheckLinesMax})");
        while (check.Step())
        {
            if (check.Text(0) is var line && line != "ok" && !IsAboutRules(line) && lines.Count < DamageLinesMax)
            {
                lines.Add(line.Replace('\n', ' '));
            }
        }

        return lines.Count == 0 ? null : string.Join("; ", CollectionsMarshal.AsSpan(lines));
    }

    /// <summary>
    /// SQLite also tells of rows that break a rule of the schema, which statements can bring about (a CHECK that depends on chance): every
    /// replica has them then, and no file is damaged.
    /// </summary>
    private static bool IsAboutRules(string line) =>
        line.StartsWith("CHECK constraint failed in ", StringComparison.Ordinal)
        || line.StartsWith("NULL value in ", StringComparison.Ordinal)
        || line.StartsWith("TEXT value in ", StringComparison.Ordinal)
        || line.StartsWith("NUMERIC value in ", StringComparison.Ordinal)
        || (line.StartsWith("non-", StringComparison.Ordinal) && line.Contains(" value in ", StringComparison.Ordinal));
}
