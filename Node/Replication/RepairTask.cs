using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>That this node's databases are being replaced by copies of a peer's.</summary>
/// <param name="Reason">What was wrong with them, as a sentence.</param>
/// <param name="MinIndex">The copy must reach this entry: what this node had shown to clients, and what its log begins behind.</param>
/// <param name="Since">When it began.</param>
/// <param name="QuarantineFolder">Where the bad files are kept.</param>
internal sealed record RepairTask(string Reason, LogIndex MinIndex, DateTimeOffset Since, string QuarantineFolder);
