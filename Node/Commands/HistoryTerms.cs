namespace DistDb.Node.Commands;

/// <summary>
/// What the query history needs of a batch beside its writes. The leader's settings count for all, and stand in the log, so that the history is the
/// same on every node.
/// </summary>
/// <param name="RowsMax">More rows than these are deleted, the oldest first.</param>
/// <param name="AgeMaxMs">Rows older than that, in milliseconds of the log's time, are deleted.</param>
/// <param name="Addresses">The base addresses of the nodes whose clients' writes are in the batch, as far as the leader knew them.</param>
public sealed record HistoryTerms(long RowsMax, long AgeMaxMs, IReadOnlyDictionary<int, string> Addresses);
