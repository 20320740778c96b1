using System.Globalization;
using System.Text.Json;
using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary>
/// Values as JSON, by nodes and tools alike, so that nothing is lost on the way: integers exactly, reals always with a fraction or an
/// exponent (so that 1.0 stays a real), blobs as <c>{"base64": "..."}</c>.
/// </summary>
#if DISTDB_DATA
internal
#else
public
#endif
static class SqlValueJson
{
    // The longest double has 24 characters; two more make an integral one a real.
    private const int RealCharsMax = 32;

    public static void Write(Utf8JsonWriter json, SqlValue value)
    {
        switch (value.Kind)
        {
            case SqlValueKind.Null:
                json.WriteNullValue();
                break;
            case SqlValueKind.Integer:
                json.WriteNumberValue(value.Integer);
                break;
            case SqlValueKind.Real:
                Span<char> text = stackalloc char[RealCharsMax];
                json.WriteRawValue(FormatReal(value.Real, text));
                break;
            case SqlValueKind.Text:
                json.WriteStringValue(value.Text);
                break;
            case SqlValueKind.Blob:
                json.WriteStartObject();
                json.WriteBase64String("base64"u8, value.Blob);
                json.WriteEndObject();
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(value), value.Kind, null);
        }
    }

    /// <summary>A number: a fraction or an exponent makes it a real, even where its value is whole; a real that is too large is infinite.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    /// <exception cref="OverflowException">It is an integer of more than 64 bits.</exception>
    public static SqlValue ReadNumber(ReadOnlySpan<byte> json) => json.IndexOfAny((byte)'.', (byte)'e', (byte)'E') < 0
        ? SqlValue.From(long.Parse(json, CultureInfo.InvariantCulture))
        : SqlValue.From(double.Parse(json, CultureInfo.InvariantCulture));

    /// <summary>A real as JSON that reads back as the same real. JSON has no infinity, so one is a number too large for a double.</summary>
    public static string RealText(double value) => new(FormatReal(value, stackalloc char[RealCharsMax]));

    private static ReadOnlySpan<char> FormatReal(double value, Span<char> text)
    {
        if (double.IsInfinity(value))
        {
            return value > 0 ? "9e999" : "-9e999";
        }

        value.TryFormat(text, out var length, "R", CultureInfo.InvariantCulture);
        if (text[..length].IndexOfAny('.', 'E') < 0)
        {
            ".0".CopyTo(text[length..]);
            length += 2;
        }

        return text[..length];
    }
}
