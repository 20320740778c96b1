using System.Globalization;
using System.Text;
using DistDb.Node.Commands;

namespace DistDb.Data;

/// <summary>Makes .NET's values of SQLite's, as Microsoft.Data.Sqlite does: between storage classes with SQLite's own conversions. No value is NULL here, unless a method says so.</summary>
internal static class FieldValue
{
    private const NumberStyles DecimalStyle = NumberStyles.Number | NumberStyles.AllowExponent;

    /// <summary>NULL is <see cref="DBNull"/>.</summary>
    public static object ToObject(SqlValue value) => value.Kind switch
    {
        SqlValueKind.Integer => value.Integer,
        SqlValueKind.Real => value.Real,
        SqlValueKind.Text => value.Text,
        SqlValueKind.Blob => value.Blob,
        _ => DBNull.Value,
    };

    public static long ToInteger(SqlValue value) => value.Kind switch
    {
        SqlValueKind.Integer => value.Integer,
        SqlValueKind.Real => FromReal(value.Real),
        _ => IntegerPrefix(ToText(value)),
    };

    public static double ToReal(SqlValue value) => value.Kind switch
    {
        SqlValueKind.Integer => value.Integer,
        SqlValueKind.Real => value.Real,
        _ => RealPrefix(ToText(value)),
    };

    public static string ToText(SqlValue value) => value.Kind switch
    {
        SqlValueKind.Integer => value.Integer.ToString(CultureInfo.InvariantCulture),
        SqlValueKind.Real => RealText(value.Real),
        SqlValueKind.Text => value.Text,
        _ => Encoding.UTF8.GetString(value.Blob),
    };

    public static byte[] ToBytes(SqlValue value) => value.Kind == SqlValueKind.Blob ? value.Blob : Encoding.UTF8.GetBytes(ToText(value));

    public static decimal ToDecimal(SqlValue value) => value.Kind switch
    {
        SqlValueKind.Integer => value.Integer,
        SqlValueKind.Real => (decimal)value.Real,
        _ => decimal.Parse(ToText(value), DecimalStyle, CultureInfo.InvariantCulture),
    };

    public static char ToChar(SqlValue value) => value switch
    {
        { Kind: SqlValueKind.Text, Text: [var only] } => only,
        { Kind: SqlValueKind.Text } => throw new InvalidCastException($"A text of {value.Text.Length} characters is no single one."),
        _ => checked((char)ToInteger(value)),
    };

    public static Guid ToGuid(SqlValue value) => value switch
    {
        { Kind: SqlValueKind.Blob, Blob.Length: 16 } => new(value.Blob),
        _ => Guid.Parse(ToText(value)),
    };

    public static DateTime ToDateTime(SqlValue value) => value.Kind is SqlValueKind.Integer or SqlValueKind.Real
        ? ParameterValue.FromJulianDay(ToReal(value))
        : DateTime.Parse(ToText(value), CultureInfo.InvariantCulture);

    public static DateTimeOffset ToDateTimeOffset(SqlValue value) => value.Kind is SqlValueKind.Integer or SqlValueKind.Real
        ? new(ParameterValue.FromJulianDay(ToReal(value)), TimeSpan.Zero)
        : DateTimeOffset.Parse(ToText(value), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    public static DateOnly ToDateOnly(SqlValue value) => value.Kind is SqlValueKind.Integer or SqlValueKind.Real
        ? DateOnly.FromDateTime(ParameterValue.FromJulianDay(ToReal(value)))
        : DateOnly.Parse(ToText(value), CultureInfo.InvariantCulture);

    public static TimeOnly ToTimeOnly(SqlValue value) => TimeOnly.Parse(ToText(value), CultureInfo.InvariantCulture);

    public static TimeSpan ToTimeSpan(SqlValue value) => value.Kind is SqlValueKind.Integer or SqlValueKind.Real
        ? TimeSpan.FromDays(ToReal(value))
        : TimeSpan.Parse(ToText(value), CultureInfo.InvariantCulture);

    /// <exception cref="InvalidCastException">It is none of the types that a value can become.</exception>
    public static object ToType(SqlValue value, Type type)
    {
        if (type.IsEnum)
        {
            return Enum.ToObject(type, ToType(value, Enum.GetUnderlyingType(type)));
        }

        return type switch
        {
            _ when type == typeof(object) => ToObject(value),
            _ when type == typeof(string) => ToText(value),
            _ when type == typeof(long) => ToInteger(value),
            _ when type == typeof(int) => checked((int)ToInteger(value)),
            _ when type == typeof(bool) => ToInteger(value) != 0,
            _ when type == typeof(double) => ToReal(value),
            _ when type == typeof(byte[]) => ToBytes(value),
            _ when type == typeof(Guid) => ToGuid(value),
            _ when type == typeof(DateTime) => ToDateTime(value),
            _ when type == typeof(DateTimeOffset) => ToDateTimeOffset(value),
            _ when type == typeof(DateOnly) => ToDateOnly(value),
            _ when type == typeof(TimeOnly) => ToTimeOnly(value),
            _ when type == typeof(TimeSpan) => ToTimeSpan(value),
            _ when type == typeof(decimal) => ToDecimal(value),
            _ when type == typeof(float) => (float)ToReal(value),
            _ when type == typeof(short) => checked((short)ToInteger(value)),
            _ when type == typeof(byte) => checked((byte)ToInteger(value)),
            _ when type == typeof(sbyte) => checked((sbyte)ToInteger(value)),
            _ when type == typeof(ushort) => checked((ushort)ToInteger(value)),
            _ when type == typeof(uint) => checked((uint)ToInteger(value)),
            _ when type == typeof(ulong) => unchecked((ulong)ToInteger(value)),
            _ when type == typeof(char) => ToChar(value),
            _ when type == typeof(Stream) => new MemoryStream(ToBytes(value), writable: false),
            _ when type == typeof(TextReader) => new StringReader(ToText(value)),
            _ => throw new InvalidCastException($"A value of the storage class {value.Kind} cannot become a {type}."),
        };
    }

    /// <summary>What the values of a column of a declared type mostly are, by SQLite's rules of affinity.</summary>
    public static Type TypeOfDeclared(string type) => type == "NULL" ? typeof(byte[]) : Affinities.Of(type) switch
    {
        Affinity.Integer => typeof(long),
        Affinity.Blob => typeof(byte[]),
        Affinity.Real => typeof(double),
        _ => typeof(string),
    };

    /// <summary>As SQLite casts: towards zero, and to the nearest there is where it is too large.</summary>
    private static long FromReal(double value) => value >= long.MaxValue ? long.MaxValue : value <= long.MinValue ? long.MinValue : (long)value;

    /// <summary>As SQLite's <c>%!.15g</c>.</summary>
    private static string RealText(double value)
    {
        if (double.IsInfinity(value))
        {
            return value > 0 ? "Inf" : "-Inf";
        }

        // Zero has no sign there.
        var text = (value == 0 ? 0 : value).ToString("G15", CultureInfo.InvariantCulture);
        var exponent = text.IndexOf('E', StringComparison.Ordinal) is >= 0 and var at ? at : text.Length;
        return (text.AsSpan(0, exponent).Contains('.') ? text : text.Insert(exponent, ".0")).Replace('E', 'e');
    }

    private static long IntegerPrefix(string text)
    {
        var span = text.AsSpan().TrimStart();
        var length = span is ['+' or '-', ..] ? 1 : 0;
        while (length < span.Length && char.IsAsciiDigit(span[length]))
        {
            length++;
        }

        return long.TryParse(span[..length], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) ? number
            : double.TryParse(span[..length], NumberStyles.Float, CultureInfo.InvariantCulture, out var large) ? FromReal(large)
            : 0;
    }

    private static double RealPrefix(string text)
    {
        var span = text.AsSpan().TrimStart();
        for (var length = span.Length; length > 0; length--)
        {
            if (span[length - 1] is >= '0' and <= '9' or '.' && double.TryParse(span[..length], NumberStyles.Float & ~NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var number))
            {
                return number;
            }
        }

        return 0;
    }
}
