namespace DistDb.Tests.Database;

/// <summary>Something that SQLite can do: writes, each an entry of its own, and a query that shows what became of them.</summary>
/// <param name="Name">Its name, as SQLite's documentation has it.</param>
/// <param name="Query">Gives at least one row.</param>
/// <param name="Steps">The writes, from an empty database.</param>
internal sealed record SqlFeature(string Name, string Query, params SqlStep[] Steps)
{
    /// <summary>Whether the result depends on time or chance, so that another run of SQLite gives something else.</summary>
    public bool IsOfItsTime { get; init; }

    /// <summary>A module that not every SQLite library has, or null.</summary>
    public string? Module { get; init; }

    public override string ToString() => Name;
}
