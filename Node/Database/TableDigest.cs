namespace DistDb.Node.Database;

/// <summary>What a table holds, boiled down so that replicas can be compared. It does not depend on the order of the rows.</summary>
/// <param name="Name">The table; <see cref="PinnedContent.SchemaName"/> for the schema itself.</param>
/// <param name="RowCount">Its rows.</param>
/// <param name="Hash">The sum of all rows' hashes.</param>
/// <param name="Buckets">
/// The same, shortened to 64 bits, for the rows whose key falls into each of <see cref="BucketCount"/> parts, so that differing rows are found by looking at few others: of the
/// parts that have rows, in the order of their numbers, as a cluster may have thousands of tables, and most of those few rows. Null where the rows could not be read to the end.
/// </param>
public sealed record TableDigest(string Name, long RowCount, UInt128 Hash, IReadOnlyList<DigestBucket>? Buckets)
{
    /// <summary>Into so many parts a table's rows are divided by their keys' hashes. Not a setting: all replicas divide alike.</summary>
    public const int BucketCount = 256;

    /// <summary>Whether SQLite could not read all of its rows.</summary>
    public bool IsDamaged => Buckets is null;

    /// <summary>The parts of a table that are not the same in another copy of it, by number; all of them where one of the two is damaged.</summary>
    public IEnumerable<int> FindDifferingBuckets(TableDigest other)
    {
        var all = Enumerable.Range(0, BucketCount);
        if (Buckets is null || other.Buckets is null)
        {
            return all;
        }

        var differences = new ulong[BucketCount];
        foreach (var (number, sum) in Buckets)
        {
            differences[number] = sum;
        }

        foreach (var (number, sum) in other.Buckets)
        {
            differences[number] = unchecked(differences[number] - sum);
        }

        return all.Where(number => differences[number] != 0);
    }

    /// <summary>Same content; lists are compared by what is in them.</summary>
    public bool Equals(TableDigest? other) =>
        other is not null && Name == other.Name && RowCount == other.RowCount && Hash == other.Hash
        && (Buckets is null || other.Buckets is null ? Buckets == other.Buckets : Buckets.SequenceEqual(other.Buckets));

    public override int GetHashCode() => HashCode.Combine(Name, RowCount, Hash);
}

/// <summary>What one part of a table's rows comes to.</summary>
/// <param name="Number">Which part.</param>
/// <param name="Sum">The sum of its rows' hashes, shortened to 64 bits.</param>
public readonly record struct DigestBucket(byte Number, ulong Sum);
