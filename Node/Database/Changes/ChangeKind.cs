namespace DistDb.Node.Database.Changes;

/// <summary>What a captured change is. The numbers are stored.</summary>
internal enum ChangeKind : byte
{
    /// <summary>No change: what follows belongs to another write of the entry.</summary>
    Write = 1,
    Insert = 2,
    Update = 3,

    /// <summary>An update that changes the row's key.</summary>
    Move = 4,
    Delete = 5,
    Schema = 6,
}
