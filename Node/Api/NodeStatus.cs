namespace DistDb.Node.Api;

/// <summary>What <c>GET /status</c> answers, and what nodes tell each other about themselves.</summary>
public sealed record NodeStatus
{
    public required int Id { get; init; }

    /// <summary><c>master</c> or <c>node</c>: who may change the schema.</summary>
    public required string Role { get; init; }

    /// <summary><c>voter</c>; <c>learner</c>, which catches up and does not count yet; or <c>none</c>, which is not a member (yet).</summary>
    public required string Suffrage { get; init; }

    /// <summary><c>leader</c>, <c>follower</c> or <c>candidate</c>: who orders the log right now.</summary>
    public required string RaftRole { get; init; }

    public required string Address { get; init; }

    /// <summary>The master's node id.</summary>
    public required int Master { get; init; }

    /// <summary>The leader's node id, or null while there is none.</summary>
    public required int? Leader { get; init; }

    public required long Term { get; init; }

    public required long CommitIndex { get; init; }

    public required long AppliedIndex { get; init; }

    /// <summary>The oldest entry that the log still holds; one behind the last where it holds none.</summary>
    public required long FirstLogIndex { get; init; }

    public required long LastLogIndex { get; init; }

    /// <summary>The snapshot that this node is fetching, or null.</summary>
    public required SnapshotStatus? Snapshot { get; init; }

    public required bool Ready { get; init; }

    /// <summary>What the last verification found, as far as this node knows; null if there was none since its start.</summary>
    public VerificationStatus? Verification { get; init; }

    /// <summary>That this node is replacing its content and serves nobody; else null.</summary>
    public RepairStatus? Repair { get; init; }

    /// <summary>The cluster's identity, or null until the first leader has given it one.</summary>
    public required Guid? ClusterId { get; init; }

    public required IReadOnlyList<PeerStatus> Peers { get; init; }

    public required IReadOnlyList<DatabaseStatus> Databases { get; init; }

    public required VersionStatus Versions { get; init; }

    public required CounterStatus Counters { get; init; }

    public required double UptimeS { get; init; }
}

/// <summary>A peer as this node sees it.</summary>
/// <param name="Id">Its node id.</param>
/// <param name="Address">Where it is called.</param>
/// <param name="Role"><c>master</c> or <c>node</c>.</param>
/// <param name="Suffrage"><c>voter</c> or <c>learner</c>.</param>
/// <param name="Reachable">Messages flow to it, and it was heard within the last second.</param>
/// <param name="LastContactMs">Milliseconds since it was last heard; null if never.</param>
/// <param name="Lag">How many entries it has not applied of those committed here, as of its last report; null if it never reported.</param>
/// <param name="Problem">Why there is no link to it, if there is none.</param>
public sealed record PeerStatus(
    int Id, string Address, string Role, string Suffrage, bool Reachable, long? LastContactMs, long? Lag, string? Problem);

/// <summary>A snapshot on its way to this node.</summary>
/// <param name="ArrivedBytes">What has arrived.</param>
/// <param name="TotalBytes">What it has in all.</param>
public sealed record SnapshotStatus(long ArrivedBytes, long TotalBytes);

/// <summary>A database.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Bytes">Size of its file.</param>
public sealed record DatabaseStatus(string Name, long Bytes);

/// <summary>What runs here.</summary>
public sealed record VersionStatus(string Distdb, string Sqlite, string Dotnet);

/// <summary>What the node did since its start.</summary>
/// <param name="LogSyncs">How often its log waited for the disk.</param>
/// <param name="Writes">Clients' writes applied, wherever they came in.</param>
/// <param name="Batches">Log entries that held them.</param>
/// <param name="PendingWrites">Writes of this node's own clients under way.</param>
/// <param name="Reads">Queries of this node's own clients answered.</param>
/// <param name="ReadP99Ms">Milliseconds within which 99 of 100 queries of the last full second had their first rows here; null if there were none.</param>
/// <param name="WriteP99Ms">Milliseconds within which 99 of 100 writes that came in here were done, in the last full second; null if there were none.</param>
public sealed record CounterStatus(
    long LogSyncs, long Writes, long Batches, int PendingWrites, long Reads = 0, double? ReadP99Ms = null, double? WriteP99Ms = null);

/// <summary>What <c>GET /cluster</c> answers: every node as the asked one knows it.</summary>
/// <param name="Node">The node that answers.</param>
/// <param name="Master">The master's node id.</param>
/// <param name="Leader">The leader's node id, or null.</param>
/// <param name="Nodes">All nodes, by id.</param>
public sealed record ClusterStatus(int Node, int Master, int? Leader, IReadOnlyList<ClusterMemberStatus> Nodes);

/// <summary>One node of the cluster.</summary>
/// <param name="Id">Its node id.</param>
/// <param name="Address">Where it is reached.</param>
/// <param name="Role"><c>master</c> or <c>node</c>.</param>
/// <param name="Suffrage"><c>voter</c>; or <c>learner</c>, which catches up and does not count yet.</param>
/// <param name="Reachable">It was heard within the last second; true for the node that answers.</param>
/// <param name="LastContactMs">Milliseconds since it was last heard; null if never, 0 for the node that answers.</param>
/// <param name="Status">What it last said about itself, or null.</param>
public sealed record ClusterMemberStatus(
    int Id, string Address, string Role, string Suffrage, bool Reachable, long? LastContactMs, NodeStatus? Status);
