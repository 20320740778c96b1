namespace DistDb.Node.Database;

/// <summary>
/// This replica did not observe what the leader observed, so its content is not the cluster's. Its file must not serve any more:
/// keep it aside and take a snapshot from a healthy peer.
/// </summary>
public sealed class ReplicaDivergedException(string message) : Exception(message);
