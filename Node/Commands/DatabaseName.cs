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
    private const string StagingPrefix = InternalPrefix + "_staging_";

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

    /// <summary>Whether the name is the cluster's own, of what no client sees.</summary>
    public bool IsInternal => Value.StartsWith(InternalPrefix, StringComparison.Ordinal);

    /// <summary>The name of a database that holds a file on its way into the cluster.</summary>
    /// <param name="number">One that no other file has had.</param>
    public static string StagingOf(Guid number) => $"{StagingPrefix}{number:n}";

    /// <summary>Whether a database is one that <see cref="StagingOf"/> names.</summary>
    public static bool IsStaging(string name) => name.StartsWith(StagingPrefix, StringComparison.Ordinal);

    /// <summary>Why nobody may put another content in the place of this database's, or null.</summary>
    public Failure? RefusalToReplace() => Reserved("replace");

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
        this == HistoryQuery || IsInternal
            ? new(
                FailureCode.Forbidden,
                $"The name \"{Value}\" is reserved, as are \"{HistoryQuery}\" and all that begin with \"{InternalPrefix}\": nobody can {verb} such a database. Nothing was done; choose another name.")
            : null;
}
