namespace DistDb.Node.Database;

/// <summary>What a database holds at one log entry, boiled down so that replicas can be compared.</summary>
/// <param name="Database">Its name.</param>
/// <param name="Damage">What SQLite's own check of the file finds wrong with it, or null.</param>
/// <param name="Tables">By name.</param>
public sealed record DatabaseDigest(string Database, string? Damage, IReadOnlyList<TableDigest> Tables)
{
    /// <summary>Whether both hold the same, as far as they can be read.</summary>
    public bool HasSameContentAs(DatabaseDigest other) => Database == other.Database && Tables.SequenceEqual(other.Tables);
}
