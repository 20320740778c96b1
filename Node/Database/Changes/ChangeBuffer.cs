using System.Buffers.Binary;
using System.Text;
using DistDb.Node.Commands;
using DistDb.Node.Database.Native;

namespace DistDb.Node.Database.Changes;

/// <summary>
/// Bytes of changes as they are captured, in the layout of <see cref="WireWriter"/>. Unlike that it can be cut back, and takes values from SQLite without a copy between.
/// </summary>
internal sealed unsafe class ChangeBuffer
{
    /// <summary>Memory that is kept between entries; more is for a burst.</summary>
    private const int KeptBytes = 1 << 20;

    private byte[] _bytes = new byte[4096];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public void CutTo(int length)
    {
        Length = length;
        if (length == 0 && _bytes.Length > KeptBytes)
        {
            _bytes = new byte[4096];
        }
    }

    /// <summary>Forgets what is at the beginning.</summary>
    public void DropFirst(int count)
    {
        Written[count..].CopyTo(_bytes);
        CutTo(Length - count);
    }

    public void WriteByte(byte value)
    {
        Reserve(1)[0] = value;
        Length++;
    }

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
        Length += count;
    }

    public void WriteSigned(long value) => WriteUnsigned((ulong)((value << 1) ^ (value >> 63)));

    public void WriteText(string value)
    {
        var count = Encoding.UTF8.GetByteCount(value);
        WriteUnsigned((ulong)count);
        Encoding.UTF8.GetBytes(value, Reserve(count));
        Length += count;
    }

    public void WriteRaw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        Length += bytes.Length;
    }

    /// <summary>One of SQLite's values (sqlite3_value), as <see cref="LogCommandCodec.ReadValue"/> reads it.</summary>
    public void WriteValue(nint value)
    {
        switch (Sqlite3.sqlite3_value_type(value))
        {
            case Sqlite3.TypeInteger:
                WriteByte((byte)SqlValueKind.Integer);
                WriteSigned(Sqlite3.sqlite3_value_int64(value));
                break;
            case Sqlite3.TypeReal:
                WriteByte((byte)SqlValueKind.Real);
                BinaryPrimitives.WriteUInt64LittleEndian(Reserve(8), BitConverter.DoubleToUInt64Bits(Sqlite3.sqlite3_value_double(value)));
                Length += 8;
                break;
            case Sqlite3.TypeText:
                WriteByte((byte)SqlValueKind.Text);
                WriteBytes(Sqlite3.sqlite3_value_text(value), value);
                break;
            case Sqlite3.TypeBlob:
                WriteByte((byte)SqlValueKind.Blob);
                WriteBytes(Sqlite3.sqlite3_value_blob(value), value);
                break;
            default:
                WriteByte((byte)SqlValueKind.Null);
                break;
        }
    }

    private void WriteBytes(byte* bytes, nint value)
    {
        var count = Sqlite3.sqlite3_value_bytes(value);
        WriteUnsigned((ulong)count);
        WriteRaw(new(bytes, count));
    }

    private Span<byte> Reserve(int count)
    {
        if (_bytes.Length - Length < count)
        {
            Array.Resize(ref _bytes, (int)Math.Min(Array.MaxLength, Math.Max(2L * _bytes.Length, (long)Length + count)));
        }

        return _bytes.AsSpan(Length);
    }
}
