using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Transport;

namespace DistDb.Node.Replication;

/// <summary>An interactive transaction at the leader. Belongs to the write loop's thread.</summary>
/// <param name="id">Its identity.</param>
/// <param name="origin">The node whose client it is.</param>
/// <param name="start">What it is.</param>
internal sealed class HostedTransaction(Guid id, NodeId origin, TransactionStart start)
{
    public Guid Id { get; } = id;

    public NodeId Origin { get; } = origin;

    public TransactionStart Start { get; } = start;

    /// <summary>What it has done; null until it has its turn.</summary>
    public InteractiveTransaction? Content { get; set; }

    /// <summary>About how many bytes the statements have that it has executed.</summary>
    public long Bytes { get; set; }

    /// <summary>The request that is to be answered next.</summary>
    public TransactionRequest? Request { get; set; }

    /// <summary>By when.</summary>
    public Deadline RequestDeadline { get; set; }

    /// <summary>The number of the last request.</summary>
    public int Number { get; set; }

    /// <summary>The last answer, to be given again to a request that comes twice.</summary>
    public TransactionReply? Reply { get; set; }

    /// <summary>When it is rolled back unless it goes on.</summary>
    public Deadline Idle { get; set; }

    /// <summary>When it is rolled back in any case.</summary>
    public Deadline End { get; set; }

    /// <summary>Executed as a part of the open batch, whose fate is its own.</summary>
    public bool IsCommitting { get; set; }

    public bool IsOver { get; set; }
}
