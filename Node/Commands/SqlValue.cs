namespace DistDb.Node.Commands;

/// <summary>SQLite's five storage classes.</summary>
#if DISTDB_DATA
internal
#else
public
#endif
enum SqlValueKind : byte
{
    Null = 0,
    Integer = 1,
    Real = 2,
    Text = 3,
    Blob = 4,
}

/// <summary>One SQL value: a parameter that goes in or a column that comes out. Immutable; a blob's bytes must not be changed by whoever holds it.</summary>
#if DISTDB_DATA
internal
#else
public
#endif
readonly record struct SqlValue
{
    private readonly long _integer;
    private readonly object? _reference;

    private SqlValue(SqlValueKind kind, long integer, object? reference)
    {
        Kind = kind;
        _integer = integer;
        _reference = reference;
    }

    /// <summary>The storage class; the default value is <see cref="SqlValueKind.Null"/>.</summary>
    public SqlValueKind Kind { get; }

    /// <summary>The SQL NULL.</summary>
    public static SqlValue Null => default;

    /// <summary>The value as a 64-bit integer.</summary>
    /// <exception cref="InvalidOperationException">The kind is another.</exception>
    public long Integer => Kind == SqlValueKind.Integer ? _integer : throw WrongKind(SqlValueKind.Integer);

    /// <summary>The value as a double; infinities are possible, NaN is not (SQLite makes it NULL).</summary>
    /// <exception cref="InvalidOperationException">The kind is another.</exception>
    public double Real => Kind == SqlValueKind.Real ? BitConverter.Int64BitsToDouble(_integer) : throw WrongKind(SqlValueKind.Real);

    /// <summary>The value as text; may contain NUL.</summary>
    /// <exception cref="InvalidOperationException">The kind is another.</exception>
    public string Text => Kind == SqlValueKind.Text ? (string)_reference! : throw WrongKind(SqlValueKind.Text);

    /// <summary>The value as bytes.</summary>
    /// <exception cref="InvalidOperationException">The kind is another.</exception>
    public byte[] Blob => Kind == SqlValueKind.Blob ? (byte[])_reference! : throw WrongKind(SqlValueKind.Blob);

    public static SqlValue From(long value) => new(SqlValueKind.Integer, value, null);

    /// <summary>A real, or NULL for NaN, as SQLite itself stores it.</summary>
    public static SqlValue From(double value) =>
        double.IsNaN(value) ? Null : new(SqlValueKind.Real, BitConverter.DoubleToInt64Bits(value), null);

    public static SqlValue From(string value) => new(SqlValueKind.Text, 0, value);

    public static SqlValue From(byte[] value) => new(SqlValueKind.Blob, 0, value);

    /// <summary>Equal kind and content; blobs are compared byte by byte, reals by their bits.</summary>
    public bool Equals(SqlValue other) => Kind == other.Kind && Kind switch
    {
        SqlValueKind.Text => Text == other.Text,
        SqlValueKind.Blob => Blob.AsSpan().SequenceEqual(other.Blob),
        _ => _integer == other._integer,
    };

    public override int GetHashCode() => Kind switch
    {
        SqlValueKind.Text => HashCode.Combine(Kind, Text),
        SqlValueKind.Blob => HashCode.Combine(Kind, Blob.Length),
        _ => HashCode.Combine(Kind, _integer),
    };

    public override string ToString() => Kind switch
    {
        SqlValueKind.Null => "NULL",
        SqlValueKind.Integer => _integer.ToString(System.Globalization.CultureInfo.InvariantCulture),
        SqlValueKind.Real => Real.ToString("R", System.Globalization.CultureInfo.InvariantCulture),
        SqlValueKind.Text => Text,
        _ => "x'" + Convert.ToHexString(Blob) + "'",
    };

    private InvalidOperationException WrongKind(SqlValueKind wanted) => new($"The value is {Kind}, not {wanted}.");
}
