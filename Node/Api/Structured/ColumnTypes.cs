namespace DistDb.Node.Api.Structured;

/// <summary>Types of columns that have another name in SQLite than people are used to.</summary>
internal static class ColumnTypes
{
    // INTEGER to the letter: only such a primary key is SQLite's own row number. And without its own entry, STRING would turn texts
    // that look like numbers into numbers.
    private static readonly Dictionary<string, string> _known = new(StringComparer.OrdinalIgnoreCase)
    {
        ["int"] = "INTEGER",
        ["integer"] = "INTEGER",
        ["bool"] = "INTEGER",
        ["boolean"] = "INTEGER",
        ["float"] = "REAL",
        ["double"] = "REAL",
        ["real"] = "REAL",
        ["string"] = "TEXT",
        ["text"] = "TEXT",
        ["date"] = "TEXT",
        ["datetime"] = "TEXT",
        ["json"] = "TEXT",
        ["blob"] = "BLOB",
    };

    /// <summary>The type as SQLite is told; one of several words, or one that is not known here, stays as it is.</summary>
    /// <param name="words">Its words, at least one.</param>
    /// <param name="size">The numbers behind it with their brackets, or an empty text. SQLite gives them no meaning.</param>
    public static string ToSql(IReadOnlyList<string> words, string size) =>
        words.Count == 1 && _known.TryGetValue(words[0], out var known)
            ? known == "INTEGER" ? known : known + size
            : string.Join(' ', words) + size;
}
