namespace DistDb.Node.Replication;

/// <summary>What waits at a node.</summary>
/// <param name="PendingWrites">Writes of its clients whose fate is not known yet.</param>
/// <param name="PendingWritesMax">The most there may be.</param>
/// <param name="PendingBytes">About their size.</param>
/// <param name="PendingBytesMax">The most there may be.</param>
/// <param name="LeaderWrites">Writes of all nodes' clients that it has yet to execute, as the leader.</param>
/// <param name="LeaderBytes">About their size.</param>
public readonly record struct QueueView(
    int PendingWrites, int PendingWritesMax, long PendingBytes, long PendingBytesMax, int LeaderWrites, long LeaderBytes);
