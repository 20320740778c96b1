namespace DistDb.Node.Database;

/// <summary>A database that <c>main</c> knows of.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Touched">The last entry that changed it.</param>
/// <param name="IsDropped">It is not there any more; its file may be, after a crash.</param>
/// <param name="ForeignKeys">Whether foreign keys are enforced in it.</param>
internal readonly record struct RegisteredDatabase(string Name, long Touched, bool IsDropped, bool ForeignKeys);
