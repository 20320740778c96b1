namespace DistDb.Node.Replication;

/// <summary>What a node did since its start.</summary>
/// <param name="LogSyncs">How often the log waited for the disk.</param>
/// <param name="Writes">Clients' writes applied, wherever they came in.</param>
/// <param name="Batches">Log entries that held them.</param>
/// <param name="PendingWrites">Writes of this node's clients under way now.</param>
/// <param name="Reads">Queries of this node's clients answered.</param>
/// <param name="ReadP99Ms">Milliseconds within which 99 of 100 queries of the last full second had their first rows; null if there were none.</param>
/// <param name="WriteP99Ms">Milliseconds within which 99 of 100 of its clients' writes of the last full second were done; null if there were none.</param>
public readonly record struct NodeCounters(
    long LogSyncs, long Writes, long Batches, int PendingWrites, long Reads, double? ReadP99Ms, double? WriteP99Ms);
