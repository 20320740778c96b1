namespace DistDb.Node.Database;

/// <summary>The content of all databases at one log entry, held fast while the writer goes on.</summary>
/// <param name="index">The entry.</param>
/// <param name="timeMs">Its time, in milliseconds since 1970 UTC.</param>
/// <param name="databases">In the order of their names.</param>
public sealed class ContentPin(long index, long timeMs, IReadOnlyList<PinnedContent> databases) : IDisposable
{
    /// <summary>The entry's time, in milliseconds since 1970 UTC.</summary>
    public long TimeMs { get; } = timeMs;

    /// <summary>The entry: the content shows all up to it and none after it.</summary>
    public long Index { get; } = index;

    /// <summary>In the order of their names.</summary>
    public IReadOnlyList<PinnedContent> Databases { get; } = databases;

    /// <summary>Reads everything, one database after the other.</summary>
    /// <inheritdoc cref="PinnedContent.Digest" path="/exception"/>
    public IReadOnlyList<DatabaseDigest> Digest(CancellationToken cancellationToken) =>
        [.. Databases.Select(d => d.Digest(cancellationToken))];

    /// <summary>Copies every database into a folder that exists, each under its own name; on disk when it returns.</summary>
    /// <inheritdoc cref="PinnedContent.CopyTo" path="/exception"/>
    public void CopyTo(string folder)
    {
        foreach (var database in Databases)
        {
            database.CopyTo(DatabaseFile.PathIn(folder, database.Name));
        }
    }

    public void Dispose()
    {
        foreach (var database in Databases)
        {
            database.Dispose();
        }
    }
}
