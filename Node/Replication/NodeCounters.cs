namespace DistDb.Node.Replication;

/// <summary>What a node did since its start.</summary>
/// <param name="LogSyncs">How often the log waited for the disk.</param>
/// <param name="Writes">Clients' writes applied, wherever they came in.</param>
/// <param name="Batches">Log entries that held them.</param>
/// <param name="PendingWrites">Writes of this node's clients under way now.</param>
public readonly record struct NodeCounters(long LogSyncs, long Writes, long Batches, int PendingWrites);
