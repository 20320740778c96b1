namespace DistDb.Node.Raft;

/// <summary>Raft's logical time: at most one leader in each (Raft §5.1). 0 before the first election.</summary>
public readonly record struct Term(long Value) : IComparable<Term>
{
    public static Term Zero => default;

    public Term Next => new(Value + 1);

    public int CompareTo(Term other) => Value.CompareTo(other.Value);

    public static bool operator <(Term left, Term right) => left.Value < right.Value;

    public static bool operator >(Term left, Term right) => left.Value > right.Value;

    public static bool operator <=(Term left, Term right) => left.Value <= right.Value;

    public static bool operator >=(Term left, Term right) => left.Value >= right.Value;

    public override string ToString() => Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
