namespace DistDb.Node.Commands;

/// <summary>Names as SQL.</summary>
internal static class SqlName
{
    /// <summary>The name between double quotes, so that it is a name and nothing else.</summary>
    /// <param name="name">Any text without a NUL, at which SQLite would take the statement to end.</param>
    public static string Quote(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
}
