namespace DistDb.Node.Replication;

/// <summary>A peer as this node sees it.</summary>
/// <param name="IsConnected">Messages flow to it.</param>
/// <param name="Problem">Why not, where that is known.</param>
/// <param name="LastContact">When it was last heard; null if never.</param>
/// <param name="Report">What it last said about itself: <c>GET /status</c>'s JSON as UTF-8; null if nothing yet.</param>
public sealed record PeerView(bool IsConnected, string? Problem, DateTimeOffset? LastContact, ReadOnlyMemory<byte>? Report);
