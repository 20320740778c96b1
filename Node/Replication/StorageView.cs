namespace DistDb.Node.Replication;

/// <summary>How large a node's files are, in bytes.</summary>
/// <param name="LogEntryBytes">The data of all entries that the log holds.</param>
/// <param name="LogFileBytes">The log's files.</param>
/// <param name="DatabaseBytes">The databases' files.</param>
/// <param name="WalBytes">What SQLite keeps beside the databases as its write-ahead logs.</param>
/// <param name="OpenDatabases">How many databases are open.</param>
public readonly record struct StorageView(long LogEntryBytes, long LogFileBytes, long DatabaseBytes, long WalBytes, int OpenDatabases);
