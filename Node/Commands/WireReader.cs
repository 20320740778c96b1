using System.Buffers.Binary;
using System.Text;

namespace DistDb.Node.Commands;

/// <summary>Reads what <see cref="WireWriter"/> wrote. Every read checks its bounds, so hostile or damaged bytes end in <see cref="InvalidDataException"/>.</summary>
public ref struct WireReader(ReadOnlySpan<byte> bytes)
{
    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>True when all bytes were read.</summary>
    public readonly bool AtEnd => _rest.IsEmpty;

    /// <summary>Bytes that were not read yet.</summary>
    public readonly int BytesLeft => _rest.Length;

    public byte ReadByte()
    {
        var value = Take(1)[0];
        return value;
    }

    public bool ReadBool() => ReadByte() switch
    {
        0 => false,
        1 => true,
        var other => throw new InvalidDataException($"A truth value of {other}."),
    };

    public ulong ReadUnsigned()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var group = ReadByte();
            value |= (ulong)(group & 0x7f) << shift;
            if (group < 0x80)
            {
                return value;
            }
        }

        throw new InvalidDataException("An integer longer than ten bytes.");
    }

    public long ReadSigned()
    {
        var value = ReadUnsigned();
        return (long)(value >> 1) ^ -(long)(value & 1);
    }

    /// <summary>A count of things that each take at least a byte, so that a damaged count cannot ask for more memory than there are bytes.</summary>
    public int ReadCount()
    {
        var count = ReadUnsigned();
        return count <= (ulong)_rest.Length
            ? (int)count
            : throw new InvalidDataException($"A count of {count} with {_rest.Length} bytes left.");
    }

    public int ReadInt32()
    {
        var value = ReadSigned();
        return value is >= int.MinValue and <= int.MaxValue
            ? (int)value
            : throw new InvalidDataException($"{value} does not fit 32 bits.");
    }

    public ulong ReadFixed64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    public string ReadText() => Encoding.UTF8.GetString(Take(ReadCount()));

    /// <summary>As <see cref="WireWriter.WriteOptionalText"/> writes it.</summary>
    public string? ReadOptionalText() => ReadBool() ? ReadText() : null;

    public byte[] ReadBytes() => Take(ReadCount()).ToArray();

    /// <summary>A fixed number of bytes without a length before them.</summary>
    public ReadOnlySpan<byte> ReadRaw(int count) => Take(count);

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length)
        {
            throw new InvalidDataException($"{count} bytes wanted, {_rest.Length} left.");
        }

        var taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}
