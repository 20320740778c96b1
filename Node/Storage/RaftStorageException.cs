namespace DistDb.Node.Storage;

/// <summary>The Raft log cannot be read or written. The message is for the operator: which file, what was kept, what to do. The node stops.</summary>
public sealed class RaftStorageException(string message, Exception? inner = null) : Exception(message, inner);
