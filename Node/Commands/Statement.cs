namespace DistDb.Node.Commands;

/// <summary>One SQL statement as a client sent it: the text and the values bound to it.</summary>
/// <param name="Sql">The text; checked by the database, not here.</param>
/// <param name="Parameters">The values to bind.</param>
public sealed record Statement(string Sql, StatementParameters Parameters);

/// <summary>The values of a statement's parameters: by position for <c>?</c>, or by name for <c>:name</c>, <c>@name</c>, <c>$name</c>.</summary>
public sealed class StatementParameters
{
    private StatementParameters(IReadOnlyList<SqlValue>? positional, IReadOnlyDictionary<string, SqlValue>? named)
    {
        Positional = positional;
        Named = named;
    }

    /// <summary>No values; fits a statement without parameters.</summary>
    public static StatementParameters None { get; } = new([], null);

    /// <summary>Values in the order of their positions, or null where they go by name.</summary>
    public IReadOnlyList<SqlValue>? Positional { get; }

    /// <summary>Values by bare name (without <c>:</c>, <c>@</c> or <c>$</c>), or null where they go by position.</summary>
    public IReadOnlyDictionary<string, SqlValue>? Named { get; }

    public static StatementParameters FromPositional(IReadOnlyList<SqlValue> values) => new(values, null);

    /// <summary>Values by name; a leading <c>:</c>, <c>@</c> or <c>$</c> in a name is dropped.</summary>
    /// <exception cref="ArgumentException">Two names are the same once their prefix is dropped.</exception>
    public static StatementParameters FromNamed(IEnumerable<KeyValuePair<string, SqlValue>> values) => FromBareNames(
        values.Select(v => KeyValuePair.Create(v.Key.Length > 0 && v.Key[0] is ':' or '@' or '$' ? v.Key[1..] : v.Key, v.Value)));

    /// <summary>Values by names that are bare already. The name of <c>$::a</c> is <c>::a</c>: it must not lose another character.</summary>
    /// <exception cref="ArgumentException">Two names are the same.</exception>
    public static StatementParameters FromBareNames(IEnumerable<KeyValuePair<string, SqlValue>> values)
    {
        var named = new SortedDictionary<string, SqlValue>(StringComparer.Ordinal);
        foreach (var (name, value) in values)
        {
            if (!named.TryAdd(name, value))
            {
                throw new ArgumentException($"The parameter \"{name}\" is given twice.", nameof(values));
            }
        }

        return new(null, named);
    }
}
