using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>What a node is told about its cluster when it starts; what the log says of it counts more.</summary>
/// <param name="Addresses">Where the nodes are reached that a new cluster consists of, and this one in any case.</param>
public sealed record ClusterSettings(IReadOnlyDictionary<NodeId, Uri> Addresses)
{
    /// <summary>Those of the addresses that were given one by one, and so hold against what the log recorded before.</summary>
    public IReadOnlyDictionary<NodeId, Uri> GivenAddresses { get; init; } = new Dictionary<NodeId, Uri>();

    /// <summary>Whether this node is to be taken into a cluster that exists.</summary>
    public bool IsJoining { get; init; }

    /// <summary>SHA-256 of the token that is to be the first admin's, if the cluster has none yet; null where nobody gave one.</summary>
    public ReadOnlyMemory<byte>? InitialTokenHash { get; init; }

    /// <summary>Who belongs to the cluster as long as the log does not say it.</summary>
    public Membership InitialMembership => IsJoining
        ? Membership.Empty
        : new(Addresses.Select(a => new Member(a.Key, IsVoter: true, LogId: 0, AddressOf(a.Key))));

    /// <summary>A base address without a slash at its end.</summary>
    public string AddressOf(NodeId node) => Addresses[node].GetLeftPart(UriPartial.Authority);
}
