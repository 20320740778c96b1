using DistDb.Node.Commands;

namespace DistDb.Data;

/// <summary>One statement with its values.</summary>
/// <param name="Sql">Without its semicolon.</param>
/// <param name="Values">One for each of SQLite's parameter numbers.</param>
internal sealed record BoundStatement(string Sql, IReadOnlyList<SqlValue> Values)
{
    /// <summary>Whether it only reads, whatever it says behind its first word. Others may read as well.</summary>
    public bool SurelyReads { get; } = FirstWord(Sql) is "SELECT" or "VALUES" or "EXPLAIN" or "PRAGMA";

    /// <summary>Whether it may only read; others write, if they are SQL at all.</summary>
    public bool MayRead => SurelyReads || FirstWord(Sql) == "WITH";

    /// <summary>Cuts a command's text into its statements, and gives each its values.</summary>
    /// <exception cref="InvalidOperationException">A value is missing, or is none that SQLite can store; nothing was sent.</exception>
    public static IReadOnlyList<BoundStatement> Of(string text, IReadOnlyList<DistDbParameter> parameters)
    {
        var statements = new List<BoundStatement>();
        var places = 0;
        foreach (var statement in StatementSplitter.Split(text))
        {
            statements.Add(new(statement.Text, Bind(statement.Text, parameters, ref places)));
        }

        return statements;
    }

    /// <summary>The same columns and no rows; null for what cannot be asked without being done.</summary>
    public BoundStatement? WithoutRows() => FirstWord(Sql) switch
    {
        "SELECT" or "VALUES" or "WITH" => new($"SELECT * FROM ({Sql}\n) LIMIT 0", Values),
        "PRAGMA" or "EXPLAIN" => this,
        _ => null,
    };

    private static SqlValue[] Bind(string sql, IReadOnlyList<DistDbParameter> parameters, ref int places)
    {
        var names = ParameterNames.Find(sql);
        if (names.Count == 0)
        {
            return [];
        }

        var unnamed = parameters.Where(parameter => parameter.ParameterName.Length == 0).ToArray();
        var inOrder = unnamed.Length > 0 ? unnamed : parameters;
        var values = new SqlValue[names.Count];
        List<string>? missing = null;
        for (var i = 0; i < names.Count; i++)
        {
            var parameter = names[i] switch
            {
                // Those of a command's later statements go on where the earlier ones stopped.
                null => inOrder.ElementAtOrDefault(places++),
                ['?', ..] => FindNamed(parameters, names[i]!) ?? inOrder.ElementAtOrDefault(i),
                var name => FindNamed(parameters, name),
            };
            if (parameter is null)
            {
                (missing ??= []).Add(names[i] ?? $"? (number {i + 1})");
            }
            else
            {
                values[i] = ParameterValue.Of(parameter);
            }
        }

        return missing is null ? values : throw new InvalidOperationException($"Values are missing for these parameters: {string.Join(", ", missing)}. Nothing was sent.");
    }

    private static DistDbParameter? FindNamed(IReadOnlyList<DistDbParameter> parameters, string name)
    {
        DistDbParameter? bare = null;
        foreach (var parameter in parameters)
        {
            if (parameter.ParameterName == name)
            {
                return parameter;
            }

            if (bare is null && parameter.ParameterName.AsSpan().SequenceEqual(name.AsSpan(1)))
            {
                bare = parameter;
            }
        }

        return bare;
    }

    private static string FirstWord(string sql)
    {
        var length = 0;
        while (length < sql.Length && char.IsAsciiLetter(sql[length]))
        {
            length++;
        }

        return sql[..length].ToUpperInvariant();
    }
}
