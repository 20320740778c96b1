using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>
/// The bytes of digests and key lists, as nodes send them to each other.
/// <code>
/// digests   count, count x (database: text, damage: text or empty, tables: count, count x table)
/// table     name: text, rows: signed, hash: 16 bytes, has buckets: bool, [count, count x (number: byte, sum: 8 bytes)]
/// key list  count, count x (label: text, hash: 16 bytes), end: byte
/// </code>
/// </summary>
public static class ContentCodec
{
    public static byte[] Encode(IReadOnlyList<DatabaseDigest> digests)
    {
        var writer = new WireWriter();
        writer.WriteUnsigned((ulong)digests.Count);
        foreach (var digest in digests)
        {
            writer.WriteText(digest.Database);
            writer.WriteText(digest.Damage ?? "");
            writer.WriteUnsigned((ulong)digest.Tables.Count);
            foreach (var table in digest.Tables)
            {
                writer.WriteText(table.Name);
                writer.WriteSigned(table.RowCount);
                WriteHash(writer, table.Hash);
                WriteBuckets(writer, table.Buckets);
            }
        }

        return writer.ToArray();
    }

    /// <exception cref="InvalidDataException">The bytes are damaged.</exception>
    public static IReadOnlyList<DatabaseDigest> DecodeDigests(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        var digests = new DatabaseDigest[reader.ReadCount()];
        for (var i = 0; i < digests.Length; i++)
        {
            var (name, damage) = (reader.ReadText(), reader.ReadText());
            var tables = new TableDigest[reader.ReadCount()];
            for (var t = 0; t < tables.Length; t++)
            {
                tables[t] = new(reader.ReadText(), reader.ReadSigned(), ReadHash(ref reader), ReadBuckets(ref reader));
            }

            digests[i] = new(name, damage.Length == 0 ? null : damage, tables);
        }

        return digests;
    }

    public static byte[] Encode(RowKeyList list)
    {
        var writer = new WireWriter();
        writer.WriteUnsigned((ulong)list.Keys.Count);
        foreach (var key in list.Keys)
        {
            writer.WriteText(key.Label);
            WriteHash(writer, key.Hash);
        }

        writer.WriteByte((byte)list.End);
        return writer.ToArray();
    }

    /// <exception cref="InvalidDataException">The bytes are damaged.</exception>
    public static RowKeyList DecodeKeys(ReadOnlySpan<byte> bytes)
    {
        var reader = new WireReader(bytes);
        var keys = new RowKey[reader.ReadCount()];
        for (var i = 0; i < keys.Length; i++)
        {
            keys[i] = new(reader.ReadText(), ReadHash(ref reader));
        }

        return new(keys, (ListEnd)reader.ReadByte());
    }

    private static void WriteBuckets(WireWriter writer, IReadOnlyList<DigestBucket>? buckets)
    {
        writer.WriteBool(buckets is not null);
        if (buckets is null)
        {
            return;
        }

        writer.WriteUnsigned((ulong)buckets.Count);
        foreach (var bucket in buckets)
        {
            writer.WriteByte(bucket.Number);
            writer.WriteFixed64(bucket.Sum);
        }
    }

    private static DigestBucket[]? ReadBuckets(ref WireReader reader)
    {
        if (!reader.ReadBool())
        {
            return null;
        }

        var buckets = new DigestBucket[reader.ReadCount()];
        for (var i = 0; i < buckets.Length; i++)
        {
            buckets[i] = new(reader.ReadByte(), reader.ReadFixed64());
        }

        return buckets;
    }

    private static void WriteHash(WireWriter writer, UInt128 hash)
    {
        writer.WriteFixed64((ulong)hash);
        writer.WriteFixed64((ulong)(hash >> 64));
    }

    private static UInt128 ReadHash(ref WireReader reader)
    {
        var low = reader.ReadFixed64();
        return new(reader.ReadFixed64(), low);
    }
}
