using System.Diagnostics.CodeAnalysis;

namespace DistDb.Node.Commands;

/// <summary>
/// The name of a database: 1 to 64 ASCII letters, digits, <c>_</c> and <c>-</c>, not beginning with <c>-</c>. Letters count in either
/// case and are kept in lower case, since the name is a file's and some file systems do not tell them apart: <c>MyDb</c> is <c>mydb</c>.
/// Equal names are the same database.
/// </summary>
public sealed record DatabaseName
{
    /// <summary>Longest name, in characters: with any suffix it stays well below the 255 bytes that file systems take.</summary>
    public const int LengthMax = 64;

    /// <summary>What a name looks like, for whoever gave one that is none.</summary>
    public const string Rule = "a database's name has 1 to 64 letters (a to z, in either case), digits, \"_\" and \"-\", and does not begin with \"-\"";

    private const string InternalPrefix = "_distdb";

    private DatabaseName(string value) => Value = value;

    /// <summary>The one that every cluster has.</summary>
    public static DatabaseName Main { get; } = new("main");

    /// <summary>The built-in one that tells what was written; the cluster itself fills it.</summary>
    public static DatabaseName HistoryQuery { get; } = new("history_query");

    /// <summary>The name in lower case; safe as the name of a file.</summary>
    public string Value { get; }

    /// <summary>Reads a name; false where the text is none.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out DatabaseName? name)
    {
        name = text.Length is > 0 and <= LengthMax && text[0] != '-' && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-')
            ? new(text.ToLowerInvariant())
            : null;
        return name is not null;
    }

    /// <summary>Why nobody may create a database of this name, or null. Whether there is one already is not known here, except for <c>main</c>.</summary>
    /// <param name="ifNotExists">Whether it will do if it is there.</param>
    public Failure? RefusalToCreate(bool ifNotExists) =>
        this == Main
            ? ifNotExists ? null : new(FailureCode.Conflict, "The database \"main\" exists: it is always there. Nothing was done; choose another name.")
            : Reserved("create");

    /// <summary>Why nobody may drop the database of this name, or null. Whether there is one is not known here.</summary>
    public Failure? RefusalToDrop() =>
        this == Main
            ? new(FailureCode.Forbidden, "The database \"main\" is always there and cannot be dropped. Nothing was done; drop its tables instead.")
            : Reserved("drop");

    public override string ToString() => Value;

    private Failure? Reserved(string verb) =>
        this == HistoryQuery || Value.StartsWith(InternalPrefix, StringComparison.Ordinal)
            ? new(
                FailureCode.Forbidden,
                $"The name \"{Value}\" is reserved, as are \"{HistoryQuery}\" and all that begin with \"{InternalPrefix}\": nobody can {verb} such a database. Nothing was done; choose another name.")
            : null;
}
