using DistDb.Node.Api;
using DistDb.Node.Commands;

namespace DistDb.Tools.Shell;

/// <summary>What may stand at the cursor: keywords, tables and columns; behind a dot, the columns of that table; after a command, what it takes.</summary>
internal sealed class SqlCompletion(IReadOnlyList<ShellCommand> commands)
{
    private static readonly string[] _keywords =
        ("ABORT ADD AFTER ALL ALTER ANALYZE AND AS ASC AUTOINCREMENT BEFORE BEGIN BETWEEN BY CASCADE CASE CAST CHECK COLLATE COLUMN COMMIT CONFLICT CONSTRAINT CREATE CROSS " +
        "CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP DATABASE DEFAULT DEFERRABLE DEFERRED DELETE DESC DISTINCT DO DROP EACH ELSE END ESCAPE EXCEPT EXISTS EXPLAIN FAIL FILTER FOLLOWING " +
        "FOR FOREIGN FROM FULL GENERATED GLOB GROUP HAVING IF IGNORE IMMEDIATE IN INDEX INDEXED INNER INSERT INSTEAD INTERSECT INTO IS ISNULL JOIN KEY LEFT LIKE LIMIT MATCH MATERIALIZED " +
        "NATURAL NOT NOTHING NOTNULL NULL NULLS OF OFFSET ON OR ORDER OUTER OVER PARTITION PLAN PRAGMA PRECEDING PRIMARY QUERY RAISE RANGE RECURSIVE REFERENCES REINDEX RENAME REPLACE " +
        "RESTRICT RETURNING RIGHT ROLLBACK ROW ROWS SELECT SET STRICT TABLE THEN TO TRANSACTION TRIGGER UNBOUNDED UNION UNIQUE UPDATE USING VALUES VIEW VIRTUAL WHEN WHERE WINDOW WITH WITHOUT").Split(' ');

    private static readonly HashSet<string> _beforeTables = new(StringComparer.OrdinalIgnoreCase) { "FROM", "JOIN", "INTO", "UPDATE", "TABLE", "ON", "REFERENCES" };

    /// <summary>What is known of the databases; nothing until it was asked for.</summary>
    public DatabasesAnswer? Databases { get; set; }

    /// <summary>The database in use.</summary>
    public string Database { get; set; } = "main";

    private IReadOnlyList<TableAnswer> Tables =>
        Databases?.Databases.FirstOrDefault(one => one.Name.Equals(Database, StringComparison.OrdinalIgnoreCase))?.Tables ?? [];

    /// <param name="before">The text before the cursor.</param>
    /// <returns>Where what is being typed begins, and what it may become.</returns>
    public (int Start, IReadOnlyList<string> Words) Complete(string before)
    {
        var start = before.Length;
        while (start > 0 && (char.IsLetterOrDigit(before[start - 1]) || before[start - 1] is '_' or '$'))
        {
            start--;
        }

        if (ScriptReader.IsCommand(before + "a") && !before.Contains('\n', StringComparison.Ordinal))
        {
            return CompleteCommand(before, start);
        }

        var typed = before[start..];
        if (start > 0 && before[start - 1] == '.')
        {
            var owner = LastWord(before[..(start - 1)]);
            var table = Tables.FirstOrDefault(one => one.Name.Equals(owner, StringComparison.OrdinalIgnoreCase));
            return (start, Matching((table is null ? ColumnsOf(Tables) : ColumnsOf([table])).Select(Quoted), typed));
        }

        var tables = Tables.Select(table => Quoted(table.Name));
        if (_beforeTables.Contains(LastWord(before[..start].TrimEnd())))
        {
            var names = Matching(tables, typed);
            if (names.Count > 0)
            {
                return (start, names);
            }
        }

        var words = before.Split([' ', '\n', ',', '(', ')', ';', '"'], StringSplitOptions.RemoveEmptyEntries).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var mentioned = Tables.Where(table => words.Contains(table.Name)).ToArray();
        var columns = ColumnsOf(mentioned.Length > 0 ? mentioned : Tables).Select(Quoted);
        var keywords = typed.Length > 0 && typed.All(char.IsLower) ? _keywords.Select(word => word.ToLowerInvariant()) : _keywords;
        return typed.Length == 0 ? (start, []) : (start, Matching(columns.Concat(tables).Concat(keywords), typed));
    }

    private (int Start, IReadOnlyList<string> Words) CompleteCommand(string before, int start)
    {
        var space = before.IndexOf(' ', StringComparison.Ordinal);
        if (space < 0)
        {
            return (0, Matching(commands.Select(command => command.Name), before));
        }

        var typed = before[start..];
        var command = before[..space];
        var choices = command switch
        {
            ".use" => Databases?.Databases.Select(database => database.Name) ?? [],
            ".tables" or ".schema" => Tables.Select(table => table.Name),
            _ => commands.FirstOrDefault(one => one.Name == command) is { Arguments: var arguments } && arguments.Contains('|', StringComparison.Ordinal)
                ? arguments.Split('|')
                : [],
        };
        return (start, Matching(choices, typed));
    }

    private static IEnumerable<string> ColumnsOf(IReadOnlyList<TableAnswer> tables) => tables.SelectMany(table => table.Columns.Select(column => column.Name));

    private static List<string> Matching(IEnumerable<string> words, string typed) =>
        [.. words.Where(word => word.TrimStart('"').StartsWith(typed, StringComparison.OrdinalIgnoreCase)).Distinct(StringComparer.OrdinalIgnoreCase)];

    private static string LastWord(string text)
    {
        var end = text.TrimEnd('"');
        var start = end.Length;
        while (start > 0 && (char.IsLetterOrDigit(end[start - 1]) || end[start - 1] == '_'))
        {
            start--;
        }

        return end[start..];
    }

    private static string Quoted(string name) =>
        name.Length > 0 && !char.IsAsciiDigit(name[0]) && name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_') && !_keywords.Contains(name, StringComparer.OrdinalIgnoreCase)
            ? name
            : SqlName.Quote(name);
}
