namespace DistDb.Node.Replication;

/// <summary>That a node is replacing its content, as others are told.</summary>
/// <param name="Reason">Why, as a sentence.</param>
/// <param name="Since">When it began.</param>
/// <param name="Step">How far it is, as a sentence.</param>
/// <param name="QuarantineFolder">Where the bad files are kept; null while they are still in their place.</param>
public sealed record RepairView(string Reason, DateTimeOffset Since, string Step, string? QuarantineFolder);
