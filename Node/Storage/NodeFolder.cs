using DistDb.Node.Raft;

namespace DistDb.Node.Storage;

/// <summary>Where a node keeps what: <c>&lt;data&gt;/node-&lt;id&gt;/</c> with <c>raft.db</c>, <c>databases/&lt;name&gt;.db</c>, <c>snapshots/</c>, <c>node.lock</c>, and while it is stopped <c>files-at-rest</c>.</summary>
public sealed class NodeFolder
{
    /// <summary>Creates the folder where it does not exist.</summary>
    /// <exception cref="IOException">It cannot be created.</exception>
    /// <exception cref="UnauthorizedAccessException">It cannot be created.</exception>
    public NodeFolder(string dataFolder, NodeId node)
    {
        Node = node;
        Path = PathOf(dataFolder, node);
        Directory.CreateDirectory(DatabasesPath);
        Directory.CreateDirectory(SnapshotPath);
    }

    /// <summary>Where a node's files are, or would be.</summary>
    public static string PathOf(string dataFolder, NodeId node) => System.IO.Path.Combine(System.IO.Path.GetFullPath(dataFolder), $"node-{node}");

    public NodeId Node { get; }

    public string Path { get; }

    public string RaftLogPath => System.IO.Path.Combine(Path, "raft.db");

    /// <summary>Where snapshots are kept on their way out and in.</summary>
    public string SnapshotPath => System.IO.Path.Combine(Path, "snapshots");

    /// <summary>Where backups are made on their way out, and files taken in that are to become databases. What is left there by an earlier process is of no use. Made when needed.</summary>
    public string TransferPath => System.IO.Path.Combine(Path, "transfers");

    /// <summary>Where files are kept that must not serve any more, for whoever wants to know what happened to them. Made when needed.</summary>
    public string QuarantinePath => System.IO.Path.Combine(Path, "quarantine");

    /// <summary>Where the databases are, each in a file of its name.</summary>
    public string DatabasesPath => System.IO.Path.Combine(Path, "databases");

    /// <summary>What the databases were like when the node stopped; see <c>FilesAtRest</c>.</summary>
    public string FilesAtRestPath => System.IO.Path.Combine(Path, "files-at-rest");

    /// <summary>The file of a database whose name was checked before.</summary>
    public string DatabasePath(string database) => System.IO.Path.Combine(DatabasesPath, database + ".db");
}
