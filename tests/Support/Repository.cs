namespace DistDb.Tests.Support;

/// <summary>The repository that the tests were built in, for those that read its sources and documents.</summary>
internal static class Repository
{
    /// <summary>Its top folder.</summary>
    public static string Root { get; } = Find();

    /// <summary>A file of it, named from the top.</summary>
    public static string PathOf(string name) => Path.Combine(Root, name);

    private static string Find()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "DistDb.csproj")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new DirectoryNotFoundException("The tests run outside of their repository.");
        }

        return folder;
    }
}
