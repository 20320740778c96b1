namespace DistDb.Data;

/// <summary>Finds a statement's parameters as SQLite's tokenizer does, in the order of SQLite's numbers.</summary>
internal static class ParameterNames
{
    /// <summary>SQLite's own limit of a parameter's number, as it is compiled by default.</summary>
    private const int NumberMax = 32_766;

    /// <returns>For each parameter, from SQLite's first, its name with the prefix; null for a <c>?</c>, and for a number that the statement leaves out.</returns>
    public static IReadOnlyList<string?> Find(string sql)
    {
        List<string?>? names = null;
        for (var i = 0; i < sql.Length;)
        {
            switch (sql[i])
            {
                case '\'' or '"' or '`':
                    i = After(sql, sql[i], i + 1);
                    break;
                case '[':
                    i = After(sql, ']', i + 1);
                    break;
                case '-' when At(sql, i + 1) == '-':
                    i = After(sql, '\n', i + 2);
                    break;
                case '/' when At(sql, i + 1) == '*':
                    i = sql.IndexOf("*/", Math.Min(i + 2, sql.Length), StringComparison.Ordinal) is >= 0 and var end ? end + 2 : sql.Length;
                    break;
                case '?':
                    i = TakeNumber(sql, i, names ??= []);
                    break;
                case '@' or ':' or '$':
                    i = TakeName(sql, i, names ??= []);
                    break;
                default:
                    i = IsNamePart(sql[i]) ? AfterWord(sql, i) : i + 1;
                    break;
            }
        }

        return names ?? [];
    }

    private static int TakeNumber(string sql, int start, List<string?> names)
    {
        var end = start + 1;
        while (char.IsAsciiDigit(At(sql, end)))
        {
            end++;
        }

        if (end == start + 1)
        {
            names.Add(null);
        }
        else if (int.TryParse(sql.AsSpan(start + 1, end - start - 1), out var number) && number is > 0 and <= NumberMax)
        {
            while (names.Count < number)
            {
                names.Add(null);
            }

            names[number - 1] ??= "?" + number.ToString(System.Globalization.CultureInfo.InvariantCulture);
        }

        return end;
    }

    /// <summary>A name may have <c>::</c> in it and end with a text in brackets, as Tcl's have.</summary>
    private static int TakeName(string sql, int start, List<string?> names)
    {
        var end = start + 1;
        var count = 0;
        for (; end < sql.Length; end++)
        {
            if (IsNamePart(sql[end]))
            {
                count++;
            }
            else if (sql[end] == '(' && count > 0)
            {
                var close = end;
                while (close < sql.Length && sql[close] != ')' && !char.IsWhiteSpace(sql[close]))
                {
                    close++;
                }

                end = At(sql, close) == ')' ? close + 1 : end;
                break;
            }
            else if (sql[end] == ':' && At(sql, end + 1) == ':')
            {
                end++;
            }
            else
            {
                break;
            }
        }

        var name = sql[start..end];
        if (count > 0 && !names.Contains(name))
        {
            names.Add(name);
        }

        return end;
    }

    private static int AfterWord(string sql, int i)
    {
        while (i < sql.Length && IsNamePart(sql[i]))
        {
            i++;
        }

        return i;
    }

    /// <summary>A doubled quote ends one text and begins the next, which comes to the same.</summary>
    private static int After(string sql, char end, int from) => from < sql.Length && sql.IndexOf(end, from) is >= 0 and var at ? at + 1 : sql.Length;

    private static char At(string sql, int index) => index < sql.Length ? sql[index] : '\0';

    private static bool IsNamePart(char c) => char.IsAsciiLetterOrDigit(c) || c is '_' or '$' || c > '\x7f';
}
