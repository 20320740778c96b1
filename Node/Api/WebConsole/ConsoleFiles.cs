using System.Reflection;

namespace DistDb.Node.Api.WebConsole;

/// <summary>
/// The web console's files, as the build has put them into the executable: <c>index.html</c>, and below <c>assets/</c> files whose names change with
/// their content, each as it is and compressed. None where there was no npm to build it.
/// </summary>
internal static class ConsoleFiles
{
    private const string Prefix = "console/";

    private static readonly Assembly _assembly = typeof(ConsoleFiles).Assembly;
    private static readonly HashSet<string> _names =
        [.. _assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)).Select(n => n[Prefix.Length..])];

    /// <summary>The page that loads all others; null where the console was left out of this executable.</summary>
    public static string? Index { get; } = ReadIndex();

    /// <summary>Whether there is such a file.</summary>
    /// <param name="name">Such as <c>assets/index-3fa9.js</c>, or the same with <c>.br</c> or <c>.gz</c> behind it.</param>
    public static bool Has(string name) => _names.Contains(name);

    /// <summary>Its content; dispose it.</summary>
    /// <param name="name">One that there is.</param>
    public static Stream Open(string name) => _assembly.GetManifestResourceStream(Prefix + name)
        ?? throw new ArgumentException($"There is no file {name}.", nameof(name));

    private static string? ReadIndex()
    {
        if (!Has("index.html"))
        {
            return null;
        }

        using var reader = new StreamReader(Open("index.html"));
        return reader.ReadToEnd();
    }
}
