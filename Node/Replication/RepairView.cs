namespace DistDb.Node.Replication;

/// <summary>That a node is replacing its content, as others are told.</summary>
/// <param name="Reason">Why, as a sentence.</param>
/// <param name="Since">When it began.</param>
/// <param name="Step">How far it is, as a sentence.</param>
/// <param name="QuarantineFile">Where the bad file is kept; null while it is still in its place.</param>
public sealed record RepairView(string Reason, DateTimeOffset Since, string Step, string? QuarantineFile);
