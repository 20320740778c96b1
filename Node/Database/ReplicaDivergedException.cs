namespace DistDb.Node.Database;

/// <summary>
/// This replica's file is not the one that this node wrote: another program changed it, or put another in its place. It must not serve any
/// more: keep it aside and take a snapshot from a healthy peer.
/// </summary>
public sealed class ReplicaDivergedException(string message) : Exception(message);
