using System.Globalization;
using System.Text.RegularExpressions;
using DistDb.Node.Raft;

namespace DistDb.Node.Archive;

/// <summary>
/// A closed piece of the log: committed entries without a gap, in a file <c>distdb-log-&lt;cluster&gt;-node&lt;id&gt;-&lt;first&gt;-&lt;last&gt;.db</c>. Pieces of several
/// nodes and clusters may lie in one folder. See <see cref="ArchivePieceWriter"/> for what is in it.
/// </summary>
/// <param name="Path">The file.</param>
/// <param name="ClusterId">The cluster.</param>
/// <param name="Node">Whose log it was.</param>
/// <param name="First">Its first entry.</param>
/// <param name="Last">Its last entry.</param>
internal sealed partial record ArchivedPiece(string Path, Guid ClusterId, NodeId Node, LogIndex First, LogIndex Last)
{
    /// <summary>What follows a piece's name until it is closed.</summary>
    public const string DraftSuffix = ".part";

    /// <summary>The name of a piece's file.</summary>
    public static string NameOf(Guid clusterId, NodeId node, LogIndex first, LogIndex last) => $"{Prefix(clusterId, node)}{first}-{last}.db";

    /// <summary>The name of a piece that is not closed yet.</summary>
    public static string DraftNameOf(Guid clusterId, NodeId node) => Prefix(clusterId, node) + "next.db" + DraftSuffix;

    /// <summary>All pieces in a folder, in no order.</summary>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public static IEnumerable<ArchivedPiece> List(string folder) =>
        from path in Directory.GetFiles(folder)
        let name = Names().Match(System.IO.Path.GetFileName(path))
        where name.Success
        select new ArchivedPiece(
            path,
            Guid.ParseExact(name.Groups["cluster"].Value, "n"),
            new(int.Parse(name.Groups["node"].Value, CultureInfo.InvariantCulture)),
            new(long.Parse(name.Groups["first"].Value, CultureInfo.InvariantCulture)),
            new(long.Parse(name.Groups["last"].Value, CultureInfo.InvariantCulture)));

    private static string Prefix(Guid clusterId, NodeId node) => $"distdb-log-{clusterId:n}-node{node}-";

    [GeneratedRegex(@"^distdb-log-(?<cluster>[0-9a-f]{32})-node(?<node>\d{1,4})-(?<first>\d{1,18})-(?<last>\d{1,18})\.db$", RegexOptions.CultureInvariant)]
    private static partial Regex Names();
}
