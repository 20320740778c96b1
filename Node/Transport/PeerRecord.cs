namespace DistDb.Node.Transport;

/// <summary>What is on record of a peer.</summary>
/// <param name="Address">Where it is dialled: a base address, such as <c>http://127.0.0.1:8081</c>.</param>
/// <param name="LogId">The identity of its log, see <see cref="Raft.Member.LogId"/>; 0 where none is on record.</param>
public sealed record PeerRecord(Uri Address, ulong LogId);
