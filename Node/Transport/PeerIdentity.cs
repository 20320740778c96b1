using DistDb.Node.Commands;

namespace DistDb.Node.Transport;

/// <summary>What a node says of itself when a link begins. Both ends check the other's before anything else is said.</summary>
public sealed record PeerIdentity
{
    /// <summary>The version of the handshake and of <see cref="PeerMessageCodec"/>; both ends must have the same.</summary>
    public const int CurrentProtocolVersion = 6;

    public int ProtocolVersion { get; init; } = CurrentProtocolVersion;

    public required int Node { get; init; }

    /// <summary>The identity of this node's log, see <see cref="Raft.Member.LogId"/>.</summary>
    public required ulong LogId { get; init; }

    /// <summary>Whether its log holds anything. A cluster begins among nodes of which none has a history.</summary>
    public required bool HasHistory { get; init; }

    /// <summary>Where this node is reached, such as <c>http://127.0.0.1:8081</c>.</summary>
    public required string Address { get; init; }

    /// <summary>Whether it wants to be taken into a cluster that exists.</summary>
    public required bool IsJoining { get; init; }

    /// <summary>How many nodes this node was told that a new cluster has, the master included.</summary>
    public required int ClusterSize { get; init; }

    /// <summary>The cluster's identity, or empty while this node has not learned it from the log.</summary>
    public required Guid ClusterId { get; init; }

    /// <summary>The SQLite library and its options: with another one the same log may give other content.</summary>
    public required string SqliteFingerprint { get; init; }

    /// <summary>Whether what it holds counts, as <see cref="NodeReport.IsTrusted"/> says later: whoever meets it knows from the first message on.</summary>
    public bool IsTrusted { get; init; }

    /// <summary>The version of distdb, for messages.</summary>
    public required string Version { get; init; }

    /// <summary>Why these two cannot work together, as a sentence for an operator of <paramref name="self"/>; null if they can.</summary>
    public static string? Incompatibility(PeerIdentity self, PeerIdentity other)
    {
        if (other.ProtocolVersion != self.ProtocolVersion)
        {
            return $"node {other.Node} (distdb {other.Version}) speaks peer protocol {other.ProtocolVersion}, this node {self.ProtocolVersion}; run the same version on all nodes";
        }

        if (other.Node == self.Node)
        {
            return other.LogId == self.LogId
                ? $"the other side is this node {self.Node} itself, or runs on a copy of its folder; check the addresses"
                : $"the other side is node {other.Node} as well; every node needs an id of its own";
        }

        if (other.ClusterSize != self.ClusterSize && !(self.HasHistory || other.HasHistory || self.IsJoining || other.IsJoining))
        {
            return $"node {other.Node} was started for a cluster of {other.ClusterSize} nodes, this one for {self.ClusterSize}; start all with the same <n>";
        }

        if (other.ClusterId != Guid.Empty && self.ClusterId != Guid.Empty && other.ClusterId != self.ClusterId)
        {
            return $"node {other.Node} belongs to another cluster ({other.ClusterId}, this one is {self.ClusterId}); " + (self, other) switch
            {
                ({ IsJoining: true }, _) => "to join that one, start this node with an empty data folder",
                (_, { IsJoining: true }) => $"to join this one, node {other.Node} must start with an empty data folder",
                _ => "check the peers' addresses and data folders",
            };
        }

        return other.SqliteFingerprint == self.SqliteFingerprint
            ? null
            : $"node {other.Node} runs another SQLite library ({other.SqliteFingerprint}, here {self.SqliteFingerprint}), with which replicas could differ; install the same on all nodes";
    }

    internal void Write(WireWriter writer)
    {
        writer.WriteSigned(ProtocolVersion);
        writer.WriteSigned(Node);
        writer.WriteFixed64(LogId);
        writer.WriteBool(HasHistory);
        writer.WriteText(Address);
        writer.WriteBool(IsJoining);
        writer.WriteSigned(ClusterSize);
        writer.WriteRaw(ClusterId.ToByteArray());
        writer.WriteText(SqliteFingerprint);
        writer.WriteText(Version);
        writer.WriteBool(IsTrusted);
    }

    internal static PeerIdentity Read(ref WireReader reader) => new()
    {
        ProtocolVersion = reader.ReadInt32(),
        Node = reader.ReadInt32(),
        LogId = reader.ReadFixed64(),
        HasHistory = reader.ReadBool(),
        Address = reader.ReadText(),
        IsJoining = reader.ReadBool(),
        ClusterSize = reader.ReadInt32(),
        ClusterId = new(reader.ReadRaw(16)),
        SqliteFingerprint = reader.ReadText(),
        Version = reader.ReadText(),
        IsTrusted = reader.ReadBool(),
    };
}
