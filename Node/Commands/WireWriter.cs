using System.Buffers.Binary;
using System.Text;

namespace DistDb.Node.Commands;

/// <summary>
/// Builds the byte layouts of the log, of peer messages and of what is kept of changes: integers as variable-length groups of seven bits, least significant
/// first (signed ones zigzagged); text and bytes behind their length. <see cref="WireReader"/> is its mirror.
/// </summary>
public sealed class WireWriter
{
    // Up to this much it doubles. Beyond, a large value is mostly followed by little, for which as much again would be wasted.
    private const int DoubledBytesMax = 1 << 20;

    private byte[] _bytes = new byte[256];

    /// <summary>How much has been written.</summary>
    public int BytesWritten { get; private set; }

    /// <summary>For how many bytes there is memory.</summary>
    public int Capacity => _bytes.Length;

    /// <summary>What has been written; valid until the next write.</summary>
    public ReadOnlyMemory<byte> Written => _bytes.AsMemory(0, BytesWritten);

    /// <summary>A copy of what has been written.</summary>
    public byte[] ToArray() => Written.ToArray();

    /// <summary>Forgets what has been written and keeps the memory.</summary>
    public void Clear() => BytesWritten = 0;

    /// <summary>Forgets what was written since there were so many bytes.</summary>
    public void CutTo(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)BytesWritten, nameof(count));
        BytesWritten = count;
    }

    /// <summary>Forgets so many of the first bytes.</summary>
    public void DropFirst(int count)
    {
        Written.Span[count..].CopyTo(_bytes);
        BytesWritten -= count;
    }

    public void WriteByte(byte value)
    {
        Reserve(1)[0] = value;
        BytesWritten++;
    }

    public void WriteBool(bool value) => WriteByte(value ? (byte)1 : (byte)0);

    public void WriteUnsigned(ulong value)
    {
        var span = Reserve(10);
        var count = 0;
        while (value >= 0x80)
        {
            span[count++] = (byte)(value | 0x80);
            value >>= 7;
        }

        span[count++] = (byte)value;
        BytesWritten += count;
    }

    public void WriteSigned(long value) => WriteUnsigned((ulong)((value << 1) ^ (value >> 63)));

    public void WriteFixed64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(Reserve(8), value);
        BytesWritten += 8;
    }

    public void WriteText(string value)
    {
        var count = Encoding.UTF8.GetByteCount(value);
        WriteUnsigned((ulong)count);
        BytesWritten += Encoding.UTF8.GetBytes(value, Reserve(count));
    }

    /// <summary>Whether there is one, and the text.</summary>
    public void WriteOptionalText(string? value)
    {
        WriteBool(value is not null);
        if (value is not null)
        {
            WriteText(value);
        }
    }

    public void WriteBytes(ReadOnlySpan<byte> value)
    {
        WriteUnsigned((ulong)value.Length);
        WriteRaw(value);
    }

    /// <summary>The bytes alone, without their length.</summary>
    public void WriteRaw(ReadOnlySpan<byte> value)
    {
        value.CopyTo(Reserve(value.Length));
        BytesWritten += value.Length;
    }

    /// <summary>Room for so many bytes at least, behind what has been written.</summary>
    private Span<byte> Reserve(int count)
    {
        if (_bytes.Length - BytesWritten < count)
        {
            var needed = (long)BytesWritten + count;
            var doubled = 2L * _bytes.Length;
            var wanted = Math.Max(needed + (needed / 8), doubled <= DoubledBytesMax ? doubled : 0);
            Array.Resize(ref _bytes, (int)Math.Max(needed, Math.Min(Array.MaxLength, wanted)));
        }

        return _bytes.AsSpan(BytesWritten);
    }
}
