using System.Globalization;

namespace DistDb.Node.Archive;

/// <summary>A point in a cluster's log.</summary>
public readonly record struct PointInTimeTarget
{
    private PointInTimeTarget(long? index, long? timeMs)
    {
        Index = index;
        TimeMs = timeMs;
    }

    /// <summary>The last entry that the archive has.</summary>
    public static PointInTimeTarget Last => default;

    /// <summary>The entry, where it was given.</summary>
    public long? Index { get; }

    /// <summary>The time, where it was given, in milliseconds since 1970 UTC.</summary>
    public long? TimeMs { get; }

    /// <summary>After an entry.</summary>
    public static PointInTimeTarget At(long index) => new(index, null);

    /// <summary>After the last entry whose time, which its leader gave it, is not later than this; to the millisecond.</summary>
    public static PointInTimeTarget At(DateTimeOffset time) => new(null, time.ToUnixTimeMilliseconds());

    /// <summary>How times are written here.</summary>
    internal static string Describe(long timeMs) => DateTimeOffset.FromUnixTimeMilliseconds(timeMs).UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    public override string ToString() => Index is { } index ? string.Create(CultureInfo.InvariantCulture, $"entry {index}") : TimeMs is { } time ? Describe(time) : "the archive's last entry";
}
