using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>That this node's database is being replaced by a copy of a peer's.</summary>
/// <param name="Reason">What was wrong with it, as a sentence.</param>
/// <param name="MinIndex">The copy must reach this entry: what this node had shown to clients, and what its log begins behind.</param>
/// <param name="Since">When it began.</param>
/// <param name="QuarantineFile">Where the bad file is kept.</param>
internal sealed record RepairTask(string Reason, LogIndex MinIndex, DateTimeOffset Since, string QuarantineFile);
