using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>An entry of the log does something else on this node than its leader recorded, and nobody has decided yet who is right.</summary>
/// <param name="Index">The entry; nothing of it is applied here.</param>
/// <param name="Observation">What it does here instead, as a digest; never 0.</param>
/// <param name="Reason">What differs, for an operator.</param>
/// <param name="Since">When it was found.</param>
internal sealed record Disagreement(LogIndex Index, ulong Observation, string Reason, DateTimeOffset Since);
