using System.Buffers.Binary;
using System.Text;

namespace DistDb.Node.Raft;

/// <summary>
/// The bytes of a configuration entry. They are kept on disk for as long as the log is, so the layout is never changed. All integers are
/// little endian.
/// <code>
/// count: 4 bytes, count x member, count: 4 bytes, count x removed
/// member    id: 4 bytes, voter: byte (0, 1), log id: 8 bytes, length: 4 bytes, address: length bytes of UTF-8
/// removed   id: 4 bytes, log id: 8 bytes
/// </code>
/// </summary>
public static class MembershipCodec
{
    public static byte[] Encode(Membership membership)
    {
        var bytes = new List<byte>();
        WriteInt32(bytes, membership.Members.Count);
        foreach (var member in membership.Members)
        {
            WriteInt32(bytes, member.Id.Value);
            bytes.Add(member.IsVoter ? (byte)1 : (byte)0);
            WriteUInt64(bytes, member.LogId);
            var address = Encoding.UTF8.GetBytes(member.Address);
            WriteInt32(bytes, address.Length);
            bytes.AddRange(address);
        }

        WriteInt32(bytes, membership.Removed.Count);
        foreach (var (id, logId) in membership.Removed)
        {
            WriteInt32(bytes, id.Value);
            WriteUInt64(bytes, logId);
        }

        return [.. bytes];
    }

    /// <exception cref="FormatException">The bytes are damaged.</exception>
    public static Membership Decode(ReadOnlySpan<byte> bytes)
    {
        var members = new Member[ReadCount(ref bytes)];
        for (var i = 0; i < members.Length; i++)
        {
            var id = new NodeId(BinaryPrimitives.ReadInt32LittleEndian(Take(ref bytes, 4)));
            var isVoter = Take(ref bytes, 1)[0] != 0;
            var logId = BinaryPrimitives.ReadUInt64LittleEndian(Take(ref bytes, 8));
            members[i] = new(id, isVoter, logId, Encoding.UTF8.GetString(Take(ref bytes, ReadCount(ref bytes))));
        }

        var removed = new KeyValuePair<NodeId, ulong>[ReadCount(ref bytes)];
        for (var i = 0; i < removed.Length; i++)
        {
            var id = new NodeId(BinaryPrimitives.ReadInt32LittleEndian(Take(ref bytes, 4)));
            removed[i] = new(id, BinaryPrimitives.ReadUInt64LittleEndian(Take(ref bytes, 8)));
        }

        if (!bytes.IsEmpty)
        {
            throw new FormatException("A configuration entry has bytes behind its end.");
        }

        try
        {
            return new(members, removed);
        }
        catch (ArgumentException e)
        {
            throw new FormatException("A configuration entry names a node twice.", e);
        }
    }

    private static void WriteInt32(List<byte> bytes, int value)
    {
        Span<byte> buffer = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(buffer, value);
        bytes.AddRange(buffer);
    }

    private static void WriteUInt64(List<byte> bytes, ulong value)
    {
        Span<byte> buffer = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(buffer, value);
        bytes.AddRange(buffer);
    }

    /// <summary>A count of things that each take at least a byte.</summary>
    private static int ReadCount(ref ReadOnlySpan<byte> bytes)
    {
        var count = BinaryPrimitives.ReadInt32LittleEndian(Take(ref bytes, 4));
        return count >= 0 && count <= bytes.Length ? count : throw new FormatException($"A count of {count} with {bytes.Length} bytes left.");
    }

    private static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> bytes, int count)
    {
        if (count > bytes.Length)
        {
            throw new FormatException($"{count} bytes wanted, {bytes.Length} left.");
        }

        var taken = bytes[..count];
        bytes = bytes[count..];
        return taken;
    }
}
