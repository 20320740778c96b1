using DistDb.Node.Archive;
using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>Times and limits of replication.</summary>
public sealed record ReplicationOptions
{
    public RaftOptions Raft { get; init; } = new();

    /// <summary>Length of the core's tick. Default 10 ms: with the core's defaults heartbeats every 50 ms and elections after 300 to 600 ms.</summary>
    public TimeSpan TickInterval { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>How long a client's request may take in all. Default 10 s.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Peer messages waiting for the Raft loop; more are dropped. Default 65,536.</summary>
    public int InboxMessagesMax { get; init; } = 65_536;

    /// <summary>Writes waiting at one node; more are answered <c>overloaded</c>. Default 10,000: a second of load at most.</summary>
    public int PendingWritesMax { get; init; } = 10_000;

    /// <summary>Bytes of SQL and parameters waiting at one node; more is answered <c>overloaded</c>. Default 128 MiB, eight of the largest requests.</summary>
    public long PendingBytesMax { get; init; } = 128 << 20;

    /// <summary>Bytes of a node's own clients' writes that are with the leader at once, except that one always is; the others wait here for their turn. Default 4 MiB: a few entries, so that the leader never waits for more, and the links stay free for heartbeats.</summary>
    public long ForwardedBytesMax { get; init; } = 4 << 20;

    /// <summary>Writes in one log entry. Default 1024.</summary>
    public int BatchWritesMax { get; init; } = 1024;

    /// <summary>Bytes of SQL and parameters in one log entry, except that one write always fits. Default 1 MiB.</summary>
    public int BatchBytesMax { get; init; } = 1 << 20;

    /// <summary>A batch that has taken this long to execute is replicated, whatever else waits. Default 10 ms, so that one slow write delays its successors once.</summary>
    public TimeSpan BatchTimeMax { get; init; } = TimeSpan.FromMilliseconds(10);

    /// <summary>A forwarded write whose fate is unknown is sent again after this. Default 500 ms; sending twice is harmless.</summary>
    public TimeSpan ResendInterval { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Entries kept in the log behind what the database holds durably, so that a peer that was away needs no snapshot. Default 10,000.</summary>
    public int LogTailEntriesMax { get; init; } = 10_000;

    /// <summary>Bytes of the same. Default 64 MiB: with large writes the entries alone would be no bound.</summary>
    public long LogTailBytesMax { get; init; } = 64 << 20;

    /// <summary>Where what the log had is kept, however long the log itself keeps it; null for nowhere. Default null.</summary>
    public LogArchiveOptions? Archive { get; init; }

    /// <summary>While a peer fetches a snapshot, the log that it needs afterwards may grow to so many tails, or to the snapshot's size (docs/adr/0007).</summary>
    public const int KeptLogTails = 4;

    /// <summary>The database is synced, and the log cut behind it, after this many entries, or the tail's number where that is less. Default 1000: a thousandth of a sync for each.</summary>
    public int CheckpointEntries { get; init; } = 1000;

    /// <summary>How long the nodes of a new cluster wait for all of them; a majority will do then. Default 3 s: as long as it takes to type two more commands would be too long.</summary>
    public TimeSpan FormationPatience { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// The leader has all nodes compare their content this often, and each node has it done after its start; zero for never. Default 1 h:
    /// every node reads all it has.
    /// </summary>
    public TimeSpan VerifyInterval { get; init; } = TimeSpan.FromHours(1);

    /// <summary>
    /// Rows that the query history keeps; 0 for no history. Default 100,000: some 30 MB of usual statements. What the leader has counts.
    /// </summary>
    public long HistoryRowsMax { get; init; } = 100_000;

    /// <summary>How long the query history keeps a row, by the log's time. Default 30 days.</summary>
    public TimeSpan HistoryAgeMax { get; init; } = TimeSpan.FromDays(30);

    /// <summary>
    /// How much each database keeps of what its last entries changed, for those who follow it, in bytes; 0 for nothing. Default 16 MiB: some 100,000 rows. What the leader has counts.
    /// </summary>
    public long ChangesBytesMax { get; init; } = 16 << 20;

    /// <summary>Whether this node has the reads that it answers recorded in the query history, which makes each a small write. Default no.</summary>
    public bool RecordsReads { get; init; }

    /// <summary>An interactive transaction whose client sends nothing for this long is rolled back. Default 5 s: no program thinks longer, and others wait for it.</summary>
    public TimeSpan TransactionIdle { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>An interactive transaction may take this long in all, from its turn on. Default 30 s.</summary>
    public TimeSpan TransactionTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Interactive transactions at a leader, open or waiting for their turn; and at a node that serves them. More are answered <c>overloaded</c>. Default 1000.</summary>
    public int TransactionsMax { get; init; } = 1000;

    /// <summary>Statements of an interactive transaction that change something. Default 100,000: what a leader repeats within a second.</summary>
    public int TransactionStatementsMax { get; init; } = 100_000;

    /// <summary>Bytes of SQL and parameters of the same. Default 16 MiB: the largest request.</summary>
    public long TransactionBytesMax { get; init; } = 16 << 20;

    /// <summary>Bytes of rows that a statement of an interactive transaction may return, as they travel from the leader in one message. Default 4 MiB: heartbeats must come through.</summary>
    public long TransactionResultBytesMax { get; init; } = 4 << 20;

    /// <summary>For how long, in all, a leader repeats an interactive transaction's statements when it was interrupted by entries. Default 2 s.</summary>
    public TimeSpan TransactionRepeatMax { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>How long an orderly stop waits for another node to take over leadership. Default 1 s.</summary>
    public TimeSpan HandOverPatience { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Where the time of log entries comes from. Default: the machine's clock.</summary>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
