namespace DistDb.Node.Raft;

/// <summary>A position in the log. The first entry stands at 1; 0 is the place before it, where every log agrees.</summary>
public readonly record struct LogIndex(long Value) : IComparable<LogIndex>
{
    public static LogIndex Zero => default;

    public LogIndex Next => new(Value + 1);

    public LogIndex Previous => new(Value - 1);

    public static LogIndex Min(LogIndex left, LogIndex right) => left < right ? left : right;

    public static LogIndex Max(LogIndex left, LogIndex right) => left > right ? left : right;

    public int CompareTo(LogIndex other) => Value.CompareTo(other.Value);

    public static LogIndex operator +(LogIndex index, long count) => new(index.Value + count);

    /// <summary>How many entries lie between two positions.</summary>
    public static long operator -(LogIndex left, LogIndex right) => left.Value - right.Value;

    public static bool operator <(LogIndex left, LogIndex right) => left.Value < right.Value;

    public static bool operator >(LogIndex left, LogIndex right) => left.Value > right.Value;

    public static bool operator <=(LogIndex left, LogIndex right) => left.Value <= right.Value;

    public static bool operator >=(LogIndex left, LogIndex right) => left.Value >= right.Value;

    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
