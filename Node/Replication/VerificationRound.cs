using DistDb.Node.Database;
using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>One verification, as one node goes through it. <see cref="Verifier"/> guards everything but <see cref="Pin"/>.</summary>
internal sealed class VerificationRound(LogIndex index) : IDisposable
{
    public LogIndex Index { get; } = index;

    /// <summary>When its entry was applied here; null for one that only peers have reported of so far.</summary>
    public long? BegunAtMs { get; set; }

    public bool Repairs { get; set; }

    /// <summary>Whose reports count, from the beginning to the end.</summary>
    public Membership Members { get; set; } = Membership.Empty;

    /// <summary>This node's content at the entry; null once it is not needed any more. Used by whoever has <see cref="PinTurn"/>.</summary>
    public ContentPin? Pin { get; set; }

    public SemaphoreSlim PinTurn { get; } = new(1);

    public Dictionary<NodeId, IReadOnlyList<DatabaseDigest>> Reports { get; } = [];

    /// <summary>This node's own report, for peers that ask.</summary>
    public ReadOnlyMemory<byte>? OwnReport { get; set; }

    public long OwnReportAtMs { get; set; }

    /// <summary>Rows that peers listed, by who, database and table.</summary>
    public Dictionary<(NodeId Node, string Database, string Table), RowKeyList> Keys { get; } = [];

    /// <summary>What the node that looked for all has found.</summary>
    public IReadOnlyList<TableDifference>? Findings { get; set; }

    /// <summary>Released whenever something came in.</summary>
    public SemaphoreSlim Changed { get; } = new(0);

    public TaskCompletionSource<VerificationResult> Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public bool IsUnderWay => BegunAtMs is not null && !Completion.Task.IsCompleted;

    public void Dispose()
    {
        Pin?.Dispose();
        PinTurn.Dispose();
        Changed.Dispose();
    }
}
