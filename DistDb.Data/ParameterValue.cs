using System.Globalization;
using DistDb.Node.Commands;

namespace DistDb.Data;

/// <summary>Makes SQLite's values of .NET's, as Microsoft.Data.Sqlite does, so that both find what the other has stored.</summary>
internal static class ParameterValue
{
    private const double UnixEpochJulianDay = 2440587.5;

    /// <exception cref="InvalidOperationException">The value's type is none that SQLite can store.</exception>
    public static SqlValue Of(DistDbParameter parameter)
    {
        var type = parameter.ExplicitType;
        switch (parameter.Value)
        {
            case null or DBNull:
                return SqlValue.Null;
            case string text:
                return Text(text, parameter.SizeMax);
            case byte[] bytes:
                return SqlValue.From(parameter.SizeMax is { } max && max < bytes.Length ? bytes[..max] : [.. bytes]);
            case bool flag:
                return SqlValue.From(flag ? 1L : 0L);
            case long or int or short or sbyte or byte or ushort or uint:
                return SqlValue.From(Convert.ToInt64(parameter.Value, CultureInfo.InvariantCulture));
            case ulong number:
                return SqlValue.From(unchecked((long)number));
            case Enum number:
                return SqlValue.From(IntegerOf(number));
            case double number:
                return SqlValue.From(number);
            case float number:
                return SqlValue.From(number);
            case decimal number:
                return Text(number.ToString("0.0###########################", CultureInfo.InvariantCulture), parameter.SizeMax);
            case char c:
                return type == DistDbType.Integer ? SqlValue.From((long)c) : Text(c.ToString(), parameter.SizeMax);
            case Guid guid:
                return type == DistDbType.Blob ? SqlValue.From(guid.ToByteArray()) : Text(guid.ToString().ToUpperInvariant(), parameter.SizeMax);
            case DateTime time:
                return type == DistDbType.Real ? SqlValue.From(JulianDay(time)) : Text(time.ToString(@"yyyy\-MM\-dd HH\:mm\:ss.FFFFFFF", CultureInfo.InvariantCulture), parameter.SizeMax);
            case DateTimeOffset time:
                return type == DistDbType.Real ? SqlValue.From(JulianDay(time.UtcDateTime)) : Text(time.ToString(@"yyyy\-MM\-dd HH\:mm\:ss.FFFFFFFzzz", CultureInfo.InvariantCulture), parameter.SizeMax);
            case DateOnly date:
                return type == DistDbType.Real ? SqlValue.From(JulianDay(date.ToDateTime(default))) : Text(date.ToString(@"yyyy\-MM\-dd", CultureInfo.InvariantCulture), parameter.SizeMax);
            case TimeOnly time:
                return type == DistDbType.Real
                    ? SqlValue.From(time.ToTimeSpan().TotalDays)
                    : Text(time.ToString(time.Ticks % TimeSpan.TicksPerSecond == 0 ? @"HH\:mm\:ss" : @"HH\:mm\:ss.fffffff", CultureInfo.InvariantCulture), parameter.SizeMax);
            case TimeSpan span:
                return type == DistDbType.Real ? SqlValue.From(span.TotalDays) : Text(span.ToString("c"), parameter.SizeMax);
            default:
                throw new InvalidOperationException(
                    $"The parameter \"{parameter.ParameterName}\" is a {parameter.Value.GetType()}, for which SQLite has no value. Give a number, a text, bytes, a date or a time. Nothing was sent.");
        }
    }

    /// <summary>As what a value is stored where nobody says otherwise.</summary>
    public static DistDbType DefaultType(object? value) => value switch
    {
        bool or byte or sbyte or short or ushort or int or uint or long or ulong or Enum => DistDbType.Integer,
        double or float => DistDbType.Real,
        byte[] => DistDbType.Blob,
        _ => DistDbType.Text,
    };

    /// <summary>The time of a Julian day, to the millisecond.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is before the year 1 or after the year 9999.</exception>
    public static DateTime FromJulianDay(double day)
    {
        var ms = Math.Floor((day * 86_400_000) + 0.5) - (UnixEpochJulianDay * 86_400_000);
        return ms is >= -62_135_596_800_000 and <= 253_402_300_799_999
            ? new DateTime(DateTime.UnixEpoch.Ticks + ((long)ms * TimeSpan.TicksPerMillisecond))
            : throw new ArgumentOutOfRangeException(nameof(day), day, "This number is no Julian day of the years 1 to 9999.");
    }

    private static double JulianDay(DateTime time) => ((time.Ticks - DateTime.UnixEpoch.Ticks) / (double)TimeSpan.TicksPerDay) + UnixEpochJulianDay;

    private static SqlValue Text(string text, int? max) => SqlValue.From(max < text.Length ? text[..max.Value] : text);

    private static long IntegerOf(Enum value) => Enum.GetUnderlyingType(value.GetType()) == typeof(ulong)
        ? unchecked((long)Convert.ToUInt64(value, CultureInfo.InvariantCulture))
        : Convert.ToInt64(value, CultureInfo.InvariantCulture);
}
