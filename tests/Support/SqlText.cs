namespace DistDb.Tests.Support;

/// <summary>Takes SQL scripts apart without being misled by quotes and comments.</summary>
internal static class SqlText
{
    /// <summary>The statements of a script, without the semicolons, comments before them and white space around them.</summary>
    public static List<string> SplitStatements(string script) =>
        [.. SplitAt(script, ';', 0).Select(SkipBlank).Where(s => s.Length > 0)];

    /// <summary>An <c>INSERT ... VALUES (..), (..)</c> as one statement for each row; any other statement as it is.</summary>
    public static IEnumerable<string> SplitRows(string statement)
    {
        var values = statement.IndexOf(" VALUES", StringComparison.Ordinal);
        if (!statement.StartsWith("INSERT ", StringComparison.Ordinal) || values < 0)
        {
            return [statement];
        }

        var head = statement[..(values + " VALUES".Length)];
        return SplitAt(statement[head.Length..], ',', 0).Select(row => head + " " + row.Trim());
    }

    /// <summary>Cuts wherever the separator stands outside of quotes, comments and parentheses.</summary>
    private static IEnumerable<string> SplitAt(string text, char separator, int start)
    {
        var depth = 0;
        for (var i = 0; i < text.Length; i = EndOfToken(text, i))
        {
            depth += text[i] switch
            {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            if (text[i] == separator && depth == 0)
            {
                yield return text[start..i];
                start = i + 1;
            }
        }

        yield return text[start..];
    }

    /// <summary>Where the quoted text, comment or single character at a position ends.</summary>
    private static int EndOfToken(string text, int i) => text[i] switch
    {
        // A doubled quote reads as two quoted texts side by side, which comes to the same.
        '\'' or '"' or '`' => After(text, text[i].ToString(), i + 1),
        '[' => After(text, "]", i + 1),
        '-' when IsAt(text, i, "--") => After(text, "\n", i + 2),
        '/' when IsAt(text, i, "/*") => After(text, "*/", i + 2),
        _ => i + 1,
    };

    private static string SkipBlank(string text)
    {
        text = text.Trim();
        while (IsAt(text, 0, "--") || IsAt(text, 0, "/*"))
        {
            text = text[EndOfToken(text, 0)..].Trim();
        }

        return text;
    }

    private static bool IsAt(string text, int i, string token) => string.CompareOrdinal(text, i, token, 0, token.Length) == 0;

    private static int After(string text, string token, int start)
    {
        var at = text.IndexOf(token, start, StringComparison.Ordinal);
        return at < 0 ? text.Length : at + token.Length;
    }
}
