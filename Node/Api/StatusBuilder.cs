using System.Diagnostics;
using System.Text.Json;
using DistDb.Node.Database;
using DistDb.Node.Raft;
using DistDb.Node.Replication;

namespace DistDb.Node.Api;

/// <summary>Puts together what a node says of itself and of its cluster.</summary>
internal sealed class StatusBuilder(ClusterNode node)
{
    /// <summary>Two missed reports and some: then a peer is not there.</summary>
    private static readonly TimeSpan _silenceMax = TimeSpan.FromSeconds(1);

    private readonly long _started = Stopwatch.GetTimestamp();

    public NodeStatus Node() => new()
    {
        Id = node.Id.Value,
        Role = RoleOf(node.Id),
        RaftRole = node.Role switch
        {
            Role.Leader => "leader",
            Role.Follower => "follower",
            _ => "candidate",
        },
        Address = node.AddressOf(node.Id),
        Suffrage = Suffrage(node.IsKnown ? node.Membership.Find(node.Id) : null),
        Master = node.Master.Value,
        Leader = node.Leader?.Value,
        Term = node.Term.Value,
        CommitIndex = node.CommitIndex.Value,
        AppliedIndex = node.AppliedIndex.Value,
        FirstLogIndex = node.FirstLogIndex.Value,
        LastLogIndex = node.LastLogIndex.Value,
        Snapshot = node.SnapshotProgress is { } s ? new(s.Arrived, s.Total) : null,
        Ready = node.IsReady,
        Verification = node.Verification is { } v ? VerificationStatus.Of(v) : null,
        Repair = node.Repair is { } r ? new(r.Reason, r.Since, r.Step, r.QuarantineFolder) : null,
        ClusterId = node.ClusterId == Guid.Empty ? null : node.ClusterId,
        Peers = [.. node.Peers.Select(Peer)],
        Databases = [.. node.Databases.Select(d => new DatabaseStatus(d, node.BytesOf(d)))],
        Versions = new(BuildVersion.Current, SqliteLibrary.Version, Environment.Version.ToString()),
        Counters = Counters(node.Counters),
        UptimeS = Math.Round(Stopwatch.GetElapsedTime(_started).TotalSeconds, 1),
    };

    /// <summary>The same, as it is sent.</summary>
    public byte[] WriteNode() => JsonSerializer.SerializeToUtf8Bytes(Node(), NodeStatusJsonContext.Default.NodeStatus);

    public ClusterStatus Cluster() => new(
        node.Id.Value, node.Master.Value, node.Leader?.Value, [.. node.Membership.Members.Select(m => m.Id == node.Id ? Self() : Member(m))]);

    private static CounterStatus Counters(NodeCounters counters) => new(
        counters.LogSyncs, counters.Writes, counters.Batches, counters.PendingWrites, counters.Reads, counters.ReadP99Ms, counters.WriteP99Ms);

    private static long? LastContactMs(PeerView peer) =>
        peer.LastContact is { } at ? Math.Max(0, (long)(DateTimeOffset.UtcNow - at).TotalMilliseconds) : null;

    private static bool IsReachable(PeerView peer) =>
        peer.IsConnected && LastContactMs(peer) is { } silence && silence < _silenceMax.TotalMilliseconds;

    private static NodeStatus? StatusOf(PeerView peer) =>
        peer.Report is { } report ? JsonSerializer.Deserialize(report.Span, ApiJsonContext.Default.NodeStatus) : null;

    /// <summary>That alone of what a peer said last: it is looked at several times a second.</summary>
    private static long? AppliedIndexOf(PeerView peer)
    {
        if (peer.Report is { } report)
        {
            var reader = new Utf8JsonReader(report.Span);
            while (reader.Read())
            {
                if (reader is { TokenType: JsonTokenType.PropertyName, CurrentDepth: 1 } && reader.ValueTextEquals("applied_index"u8))
                {
                    reader.Read();
                    return reader.GetInt64();
                }
            }
        }

        return null;
    }

    private string RoleOf(NodeId id) => node.Master == id ? "master" : "node";

    private static string Suffrage(Member? member) => member switch
    {
        null => "none",
        { IsVoter: true } => "voter",
        _ => "learner",
    };

    private PeerStatus Peer(NodeId id)
    {
        var peer = node.ViewOf(id);
        long? lag = AppliedIndexOf(peer) is { } applied ? Math.Max(0, node.CommitIndex.Value - applied) : null;
        return new(
            id.Value,
            node.AddressOf(id),
            RoleOf(id),
            Suffrage(node.Membership.Find(id)),
            IsReachable(peer),
            LastContactMs(peer),
            lag,
            peer.IsConnected ? null : peer.Problem);
    }

    private ClusterMemberStatus Self() => new(
        node.Id.Value, node.AddressOf(node.Id), RoleOf(node.Id), Suffrage(node.Membership.Find(node.Id)), Reachable: true, LastContactMs: 0, Node());

    private ClusterMemberStatus Member(Member member)
    {
        var peer = node.ViewOf(member.Id);
        return new(
            member.Id.Value, node.AddressOf(member.Id), RoleOf(member.Id), Suffrage(member), IsReachable(peer), LastContactMs(peer), StatusOf(peer));
    }
}
