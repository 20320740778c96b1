using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>A snapshot that was fetched whole and checked.</summary>
/// <param name="Folder">The databases' files, each under its own name.</param>
/// <param name="Index">The last entry whose effects it holds.</param>
/// <param name="Term">That entry's term.</param>
internal sealed record ReceivedSnapshot(string Folder, LogIndex Index, Term Term)
{
    /// <summary>The file of <c>main</c>.</summary>
    public string MainPath => DatabaseFile.PathIn(Folder, DatabaseName.Main.Value);

    /// <summary>The newest configuration up to there, once it was read from the file; null where there was none.</summary>
    public Membership? Membership { get; init; }
}
