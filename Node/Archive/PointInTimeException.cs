namespace DistDb.Node.Archive;

/// <summary>A database cannot be rebuilt as it was. The message is for the operator: why, and what to do. Nothing was written.</summary>
public sealed class PointInTimeException(string message, Exception? inner = null) : Exception(message, inner);
