using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace DistDb.Node.Commands;

/// <summary>
/// Builds the byte layouts of the log and of peer messages: integers as variable-length groups of seven bits, least significant
/// first (signed ones zigzagged); text and bytes behind their length. <see cref="WireReader"/> is its mirror.
/// </summary>
public sealed class WireWriter
{
    private readonly ArrayBufferWriter<byte> _buffer = new(256);

    /// <summary>How much has been written.</summary>
    public int BytesWritten => _buffer.WrittenCount;

    /// <summary>What has been written; valid until the next write.</summary>
    public ReadOnlyMemory<byte> Written => _buffer.WrittenMemory;

    /// <summary>A copy of what has been written.</summary>
    public byte[] ToArray() => _buffer.WrittenSpan.ToArray();

    /// <summary>Forgets what has been written and keeps the memory.</summary>
    public void Clear() => _buffer.ResetWrittenCount();

    public void WriteByte(byte value)
    {
        _buffer.GetSpan(1)[0] = value;
        _buffer.Advance(1);
    }

    public void WriteBool(bool value) => WriteByte(value ? (byte)1 : (byte)0);

    public void WriteUnsigned(ulong value)
    {
        var span = _buffer.GetSpan(10);
        var count = 0;
        while (value >= 0x80)
        {
            span[count++] = (byte)(value | 0x80);
            value >>= 7;
        }

        span[count++] = (byte)value;
        _buffer.Advance(count);
    }

    public void WriteSigned(long value) => WriteUnsigned((ulong)((value << 1) ^ (value >> 63)));

    public void WriteFixed64(ulong value)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(_buffer.GetSpan(8), value);
        _buffer.Advance(8);
    }

    public void WriteText(string value)
    {
        WriteUnsigned((ulong)Encoding.UTF8.GetByteCount(value));
        Encoding.UTF8.GetBytes(value, _buffer);
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
    public void WriteRaw(ReadOnlySpan<byte> value) => _buffer.Write(value);
}
