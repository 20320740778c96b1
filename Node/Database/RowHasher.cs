using System.IO.Hashing;
using System.Runtime.InteropServices;
using DistDb.Node.Database.Native;

namespace DistDb.Node.Database;

/// <summary>
/// Hashes rows as SQLite hands them out: each value with its storage class, so that 1, 1.0 and '1' are different. Not against anybody who
/// makes collisions on purpose, but against every accident. Allocates nothing for ordinary rows.
/// <code>
/// value  storage class: byte, [integer or real: 8 bytes | text or blob: length: 4 bytes, bytes; or their hash where they are long]
/// </code>
/// </summary>
internal sealed unsafe class RowHasher
{
    /// <summary>Longer values go in as their hash, so that the buffer stays small.</summary>
    private const int InlineBytesMax = 64 << 10;

    private byte[] _buffer = new byte[512];
    private int _length;

    /// <summary>Hashes some columns of the row that a statement is at.</summary>
    public UInt128 Hash(nint statement, int from, int count)
    {
        Fill(statement, from, count);
        return XxHash128.HashToUInt128(_buffer.AsSpan(0, _length));
    }

    /// <summary>The part that a row with this key belongs to.</summary>
    public int Bucket(nint statement, int keyColumnCount)
    {
        Fill(statement, 0, keyColumnCount);
        return (int)(XxHash3.HashToUInt64(_buffer.AsSpan(0, _length)) % TableDigest.BucketCount);
    }

    private void Fill(nint statement, int from, int count)
    {
        _length = 0;
        for (var column = from; column < from + count; column++)
        {
            var type = Sqlite3.sqlite3_column_type(statement, column);
            Reserve(1 + sizeof(long))[0] = (byte)type;
            _length++;
            switch (type)
            {
                case Sqlite3.TypeInteger:
                    AddNumber(Sqlite3.sqlite3_column_int64(statement, column));
                    break;
                case Sqlite3.TypeReal:
                    AddNumber(BitConverter.DoubleToInt64Bits(Sqlite3.sqlite3_column_double(statement, column)));
                    break;
                case Sqlite3.TypeText:
                    var text = Sqlite3.sqlite3_column_text(statement, column);
                    AddBytes(new(text, Sqlite3.sqlite3_column_bytes(statement, column)));
                    break;
                case Sqlite3.TypeBlob:
                    var blob = Sqlite3.sqlite3_column_blob(statement, column);
                    AddBytes(new(blob, Sqlite3.sqlite3_column_bytes(statement, column)));
                    break;
                default:
                    break;
            }
        }
    }

    private void AddNumber(long value)
    {
        MemoryMarshal.Write(_buffer.AsSpan(_length), in value);
        _length += sizeof(long);
    }

    private void AddBytes(ReadOnlySpan<byte> bytes)
    {
        var length = bytes.Length;
        MemoryMarshal.Write(Reserve(sizeof(int)), in length);
        _length += sizeof(int);
        if (length > InlineBytesMax)
        {
            XxHash128.Hash(bytes, Reserve(16));
            _length += 16;
            return;
        }

        bytes.CopyTo(Reserve(length));
        _length += length;
    }

    private Span<byte> Reserve(int bytes)
    {
        if (_buffer.Length - _length < bytes)
        {
            Array.Resize(ref _buffer, Math.Max(2 * _buffer.Length, _length + bytes));
        }

        return _buffer.AsSpan(_length);
    }
}
