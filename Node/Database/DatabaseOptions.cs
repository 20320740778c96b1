using System.ComponentModel.DataAnnotations;
using DistDb.Node.Database.Native;

namespace DistDb.Node.Database;

/// <summary>
/// Settings of one node's databases. Nothing here changes what a write does to the content, so nodes may differ;
/// what all replicas must agree on is a constant below.
/// </summary>
public sealed record DatabaseOptions
{
    /// <summary>How long an idempotency key is remembered, counted in the time of log entries. Longer than any client retries.
    /// Not a setting: every replica forgets the same keys at the same entry.</summary>
    public static readonly TimeSpan RequestRetention = TimeSpan.FromHours(24);

    /// <summary>Idempotency keys that a database remembers at most; the oldest are forgotten before their time. A million is a dozen keyed writes
    /// per second for a day, and with <see cref="RememberedTotalBytesMax"/> keeps the file small beside the disk. Not a setting, like their retention.</summary>
    public const long RememberedCountMax = 1_000_000;

    /// <summary>Bytes of remembered keys and their answers in a database at most; see <see cref="RememberedCountMax"/>.</summary>
    public const long RememberedTotalBytesMax = 256 * 1024 * 1024;

    /// <summary>Longest text, blob or row, in bytes (SQLITE_LIMIT_LENGTH). SQLite's own limit is 1 GB; an entry of that size would
    /// stall the log for everybody. Not a setting: a replica with a lower limit could not execute what the leader did.</summary>
    public const int ValueBytesMax = 128 * 1024 * 1024;

    /// <summary>Largest answer of a write with an idempotency key, in bytes, because every replica keeps it for
    /// <see cref="RequestRetention"/>.</summary>
    public const int RememberedBytesMax = 1024 * 1024;

    /// <summary>Largest row of a query, and largest result of a write's <c>RETURNING</c> or of a query with a limit of rows, in bytes of values: what
    /// is held in memory at once. 64 MiB is far beyond what a client can use in one answer and well within the memory of a small machine, even
    /// with a few such answers at once.</summary>
    [Range(1024, 1024 * 1024 * 1024)]
    public long ResultBytesMax { get; init; } = 64 * 1024 * 1024;

    /// <summary>Prepared statements kept by each connection. Preparing costs more than executing a simple statement; an application
    /// has tens of distinct texts, rarely hundreds.</summary>
    [Range(1, 10_000)]
    public int StatementCacheSize { get; init; } = 256;

    /// <summary>Queries that run at the same time. Twice the cores, so that those waiting for the disk leave none idle; at least four,
    /// so that a long one does not hold up the rest on a small machine.</summary>
    [Range(1, 1024)]
    public int ReaderCount { get; init; } = Math.Max(4, 2 * Environment.ProcessorCount);

    /// <summary>Reading transactions open in one database at a node. Each has a connection of its own, of some 100 KiB and what it caches, for as long as a transaction may last.</summary>
    public const int SnapshotsMax = 64;

    /// <summary>Databases whose files are kept open, at most; fewer where all together have more than <see cref="FileHandlesMax"/>, or SQLite holds more
    /// memory than <see cref="OpenMemoryBytesMax"/>. Those used least recently are closed first. An open one takes 0.1 to 0.3 MiB, while a request that
    /// finds its database closed waits for some milliseconds.</summary>
    [Range(2, 100_000)]
    public int OpenDatabasesMax { get; init; } = 1000;

    /// <summary>Beyond so many file handles of the process's connections to databases, those are closed; so many for one connection to each
    /// database are kept free, as all are read at once to compare them with other nodes' or to back them up. Three quarters of what the process may have: the rest is for clients and other files.</summary>
    public long FileHandlesMax { get; init; } = (LibC.FindHandlesMax() ?? 1024) / 4 * 3;

    /// <summary>Beyond so many bytes of SQLite's memory, databases are closed for what is theirs besides cached pages, which have a bound of their own
    /// (<see cref="SqliteLibrary.MemoryBytesSoftMax"/>): above all compiled statements, of which each connection keeps up to <see cref="StatementCacheSize"/>.</summary>
    internal static long OpenMemoryBytesMax => SqliteLibrary.MemoryBytesSoftMax * 5 / 4;

    /// <summary>As many are kept open at least, whatever they take.</summary>
    internal const int OpenDatabasesMin = 16;
}
