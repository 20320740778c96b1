using DistDb.Node.Commands;

namespace DistDb.Node.Api.Structured;

/// <summary>Names of tables and columns: any text, put between double quotes so that it is a name and nothing else.</summary>
internal static class Identifier
{
    /// <summary>Equal as SQLite sees names: ASCII letters in either case, all others exactly.</summary>
    public static IEqualityComparer<string> Comparer { get; } = new AsciiCaseComparer();

    /// <summary>The name as SQL.</summary>
    /// <param name="name">Any text but an empty one, and without a NUL, at which SQLite would take the statement to end.</param>
    /// <param name="where">The field that it came in, for the refusal.</param>
    /// <exception cref="RequestRejectedException">It is no name.</exception>
    public static string Quote(string name, string where)
    {
        if (name.Length == 0)
        {
            throw new RequestRejectedException(FailureCode.BadRequest, $"A name in \"{where}\" is empty. Nothing was done.");
        }

        return name.Contains('\0', StringComparison.Ordinal)
            ? throw new RequestRejectedException(FailureCode.BadRequest, $"A name in \"{where}\" contains a NUL character. Nothing was done; choose another name.")
            : SqlName.Quote(name);
    }

    private sealed class AsciiCaseComparer : IEqualityComparer<string>
    {
        public bool Equals(string? x, string? y)
        {
            if (x is null || y is null || x.Length != y.Length)
            {
                return x is null && y is null;
            }

            for (var i = 0; i < x.Length; i++)
            {
                if (Fold(x[i]) != Fold(y[i]))
                {
                    return false;
                }
            }

            return true;
        }

        public int GetHashCode(string name)
        {
            var hash = new HashCode();
            foreach (var c in name)
            {
                hash.Add(Fold(c));
            }

            return hash.ToHashCode();
        }

        private static char Fold(char c) => char.IsAsciiLetterUpper(c) ? (char)(c | 0x20) : c;
    }
}
