using DistDb.Node.Commands;

namespace DistDb.Node.Database;

/// <summary>What the cluster knows of a token: anything but the token.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Role">What it allows.</param>
/// <param name="Databases">The databases that it is good for; empty for all.</param>
/// <param name="CreatedMs">The time of the entry that made it, in milliseconds since 1970 UTC.</param>
/// <param name="ExpiresMs">When it ends, by the clock of whoever checks it; null for never.</param>
/// <param name="Hash">SHA-256 of it.</param>
public sealed record StoredToken(
    string Name, TokenRole Role, IReadOnlyList<string> Databases, long CreatedMs, long? ExpiresMs, ReadOnlyMemory<byte> Hash)
{
    /// <summary>Whether it is over at a time.</summary>
    public bool HasExpired(DateTimeOffset now) => now.ToUnixTimeMilliseconds() >= ExpiresMs;

    /// <summary>Whether it is good for a database.</summary>
    /// <param name="database">As <see cref="DatabaseName.Value"/> gives it.</param>
    public bool Covers(string database) => Databases.Count == 0 || Databases.Contains(database);
}
