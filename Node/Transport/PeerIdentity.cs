using DistDb.Node.Commands;

namespace DistDb.Node.Transport;

/// <summary>What a node says of itself when a link begins. Both ends check the other's before anything else is said.</summary>
public sealed record PeerIdentity
{
    /// <summary>The version of the handshake and of <see cref="PeerMessageCodec"/>; both ends must have the same.</summary>
    public const int CurrentProtocolVersion = 1;

    public int ProtocolVersion { get; init; } = CurrentProtocolVersion;

    public required int Node { get; init; }

    /// <summary>How many nodes this node believes its cluster to have, the master included.</summary>
    public required int ClusterSize { get; init; }

    /// <summary>The cluster's identity, or empty while this node has not learned it from the log.</summary>
    public required Guid ClusterId { get; init; }

    /// <summary>The SQLite library and its options: with another one the same log may give other content.</summary>
    public required string SqliteFingerprint { get; init; }

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
            return $"the other side is node {other.Node} as well; every node needs an id of its own";
        }

        if (other.ClusterSize != self.ClusterSize)
        {
            return $"node {other.Node} was started for a cluster of {other.ClusterSize} nodes, this one for {self.ClusterSize}; start all with the same <n>";
        }

        if (other.Node < 0 || other.Node >= self.ClusterSize)
        {
            return $"node id {other.Node} is not within a cluster of {self.ClusterSize} nodes";
        }

        if (other.ClusterId != Guid.Empty && self.ClusterId != Guid.Empty && other.ClusterId != self.ClusterId)
        {
            return $"node {other.Node} belongs to another cluster ({other.ClusterId}, this one is {self.ClusterId}); check the peers' addresses and data folders";
        }

        return other.SqliteFingerprint == self.SqliteFingerprint
            ? null
            : $"node {other.Node} runs another SQLite library ({other.SqliteFingerprint}, here {self.SqliteFingerprint}), with which replicas could differ; install the same on all nodes";
    }

    internal void Write(WireWriter writer)
    {
        writer.WriteSigned(ProtocolVersion);
        writer.WriteSigned(Node);
        writer.WriteSigned(ClusterSize);
        writer.WriteRaw(ClusterId.ToByteArray());
        writer.WriteText(SqliteFingerprint);
        writer.WriteText(Version);
    }

    internal static PeerIdentity Read(ref WireReader reader) => new()
    {
        ProtocolVersion = reader.ReadInt32(),
        Node = reader.ReadInt32(),
        ClusterSize = reader.ReadInt32(),
        ClusterId = new(reader.ReadRaw(16)),
        SqliteFingerprint = reader.ReadText(),
        Version = reader.ReadText(),
    };
}
