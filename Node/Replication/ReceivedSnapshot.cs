using DistDb.Node.Commands;
using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>A snapshot that was fetched whole and checked.</summary>
/// <param name="Folder">The databases' files, each under its own name.</param>
/// <param name="Index">The last entry whose effects it holds.</param>
/// <param name="Term">That entry's term.</param>
internal sealed record ReceivedSnapshot(string Folder, LogIndex Index, Term Term)
{
    /// <summary>The file of <c>main</c>.</summary>
    public string MainPath => Path.Combine(Folder, DatabaseName.Main + ".db");

    /// <summary>The newest configuration up to there, once it was read from the file; null where there was none.</summary>
    public Membership? Membership { get; init; }
}
