using DistDb.Node.Commands;
using DistDb.Node.Database.Native;

namespace DistDb.Node.Database.Changes;

/// <summary>SQLite's own values (sqlite3_value), without a copy on the way.</summary>
internal static unsafe class NativeValue
{
    /// <summary>Writes one as <see cref="LogCommandCodec.ReadValue"/> reads it.</summary>
    public static void WriteValue(this WireWriter writer, nint value)
    {
        switch (Sqlite3.sqlite3_value_type(value))
        {
            case Sqlite3.TypeInteger:
                writer.WriteByte((byte)SqlValueKind.Integer);
                writer.WriteSigned(Sqlite3.sqlite3_value_int64(value));
                break;
            case Sqlite3.TypeReal:
                writer.WriteByte((byte)SqlValueKind.Real);
                writer.WriteFixed64(BitConverter.DoubleToUInt64Bits(Sqlite3.sqlite3_value_double(value)));
                break;
            case Sqlite3.TypeText:
                writer.WriteByte((byte)SqlValueKind.Text);
                WriteBytes(writer, Sqlite3.sqlite3_value_text(value), value);
                break;
            case Sqlite3.TypeBlob:
                writer.WriteByte((byte)SqlValueKind.Blob);
                WriteBytes(writer, Sqlite3.sqlite3_value_blob(value), value);
                break;
            default:
                writer.WriteByte((byte)SqlValueKind.Null);
                break;
        }
    }

    // SQLite knows the length only once the text was asked for.
    private static void WriteBytes(WireWriter writer, byte* bytes, nint value) => writer.WriteBytes(new(bytes, Sqlite3.sqlite3_value_bytes(value)));
}
