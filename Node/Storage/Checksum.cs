using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace DistDb.Node.Storage;

/// <summary>
/// CRC-32C of what a row of <c>raft.db</c> says, kept in the row itself: SQLite would not notice a bit that changed on the disk. Numbers count as
/// eight bytes, little endian; texts and bytes are preceded by their length.
/// </summary>
internal static class Checksum
{
    private const uint Start = uint.MaxValue;

    public static long OfEntry(long index, long term, long kind, ReadOnlySpan<byte> data) =>
        Add(Add(Add(Add(Start, index), term), kind), data);

    /// <param name="term">The term.</param>
    /// <param name="votedFor">-1 for nobody.</param>
    public static long OfHardState(long term, long votedFor) => Add(Add(Start, term), votedFor);

    /// <param name="index">The last entry that was cut off.</param>
    /// <param name="term">Its term.</param>
    /// <param name="membership">Empty for none.</param>
    public static long OfBase(long index, long term, ReadOnlySpan<byte> membership) => Add(Add(Add(Start, index), term), membership);

    public static long OfMeta(string key, string value) => Add(Add(Start, Encoding.UTF8.GetBytes(key)), Encoding.UTF8.GetBytes(value));

    private static uint Add(uint crc, long number) => BitOperations.Crc32C(crc, (ulong)number);

    private static uint Add(uint crc, ReadOnlySpan<byte> bytes)
    {
        crc = Add(crc, bytes.Length);
        for (; bytes.Length >= 8; bytes = bytes[8..])
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        }

        foreach (var b in bytes)
        {
            crc = BitOperations.Crc32C(crc, b);
        }

        return crc;
    }
}
