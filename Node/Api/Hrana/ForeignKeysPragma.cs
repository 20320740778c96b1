using DistDb.Node.Commands;

namespace DistDb.Node.Api.Hrana;

/// <summary><c>PRAGMA foreign_keys</c>, which is a stream's own.</summary>
/// <param name="Value">What it sets; null where it asks.</param>
internal sealed record ForeignKeysPragma(bool? Value)
{
    public static ForeignKeysPragma? Parse(string sql)
    {
        var tokens = new SqlTokens(sql);
        if (!tokens.TakeWord("PRAGMA") || !tokens.TakeWord("foreign_keys"))
        {
            return null;
        }

        bool? value = null;
        if (tokens.TakeSymbol('='))
        {
            value = IsTrue(tokens.Take());
        }
        else if (tokens.TakeSymbol('('))
        {
            value = IsTrue(tokens.Take());
            if (!tokens.TakeSymbol(')'))
            {
                return null;
            }
        }

        while (tokens.TakeSymbol(';'))
        {
        }

        return tokens.AtEnd ? new(value) : null;
    }

    private static bool IsTrue(SqlToken token) => token.Text.ToUpperInvariant() is "ON" or "TRUE" or "YES" or "1";
}
