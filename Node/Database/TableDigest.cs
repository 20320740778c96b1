namespace DistDb.Node.Database;

/// <summary>What a table holds, boiled down so that replicas can be compared. It does not depend on the order of the rows.</summary>
/// <param name="Name">The table; <see cref="PinnedContent.SchemaName"/> for the schema itself.</param>
/// <param name="RowCount">Its rows.</param>
/// <param name="Hash">The sum of all rows' hashes.</param>
/// <param name="Buckets">
/// The same, shortened to 64 bits, for the rows whose key falls into each of <see cref="BucketCount"/> parts, so that differing rows are
/// found by looking at few others; empty where the rows could not be read to the end.
/// </param>
public sealed record TableDigest(string Name, long RowCount, UInt128 Hash, IReadOnlyList<ulong> Buckets)
{
    /// <summary>Into so many parts a table's rows are divided by their keys' hashes. Not a setting: all replicas divide alike.</summary>
    public const int BucketCount = 256;

    /// <summary>Whether SQLite could not read all of its rows.</summary>
    public bool IsDamaged => Buckets.Count == 0;

    /// <summary>Same content; lists are compared by what is in them.</summary>
    public bool Equals(TableDigest? other) =>
        other is not null && Name == other.Name && RowCount == other.RowCount && Hash == other.Hash && Buckets.SequenceEqual(other.Buckets);

    public override int GetHashCode() => HashCode.Combine(Name, RowCount, Hash);
}
