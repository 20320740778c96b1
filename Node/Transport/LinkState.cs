namespace DistDb.Node.Transport;

/// <summary>How a link to a peer is doing.</summary>
/// <param name="IsConnected">Messages flow to the peer.</param>
/// <param name="Problem">Why not, where that is known.</param>
/// <param name="LastContact">When the peer was last heard on its own link to this node; null if never.</param>
/// <param name="Identity">
/// What the process at the peer's address said of itself when the link began; null where none stands. Unlike whoever calls in under the peer's id, it is
/// the one that the cluster means.
/// </param>
public sealed record LinkState(bool IsConnected, string? Problem, DateTimeOffset? LastContact, PeerIdentity? Identity);
