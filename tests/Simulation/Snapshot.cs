using DistDb.Node.Raft;

namespace DistDb.Tests.Simulation;

/// <summary>A state machine's whole state, as it travels between nodes.</summary>
/// <param name="Index">The last entry whose effects it holds.</param>
/// <param name="Term">That entry's term.</param>
/// <param name="State">The state.</param>
/// <param name="Membership">The newest configuration up to there; null where there was none.</param>
/// <param name="Commands">The commands that are known to be in it.</param>
/// <param name="MadeIn">Its maker's term.</param>
internal sealed record Snapshot(LogIndex Index, Term Term, ulong State, Membership? Membership, IReadOnlyCollection<long> Commands, Term MadeIn);
