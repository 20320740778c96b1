using DistDb.Node.Raft;
using DistDb.Node.Transport;

namespace DistDb.Node.Replication;

/// <summary>
/// Who the other nodes are and where each is reached, by the latest word. What was given on the command line holds against all that was recorded before
/// this process first heard from a leader, also where it learns of that only later; a move that is recorded after that holds against it, as soon
/// as it is in the log, since it may take the new address to commit it. Keeps the transport's links in step. Written by one thread (the Raft loop), read by any.
/// </summary>
/// <param name="self">This node.</param>
/// <param name="settings">What the command line said.</param>
/// <param name="transport">Told with the first <see cref="Update"/>.</param>
/// <param name="known">As the log has it at the start.</param>
internal sealed class MemberDirectory(NodeId self, ClusterSettings settings, IPeerTransport transport, Membership known)
{
    private volatile Membership _membership = known;
    private volatile IReadOnlyList<NodeId> _peers = Others(known, self);
    private IReadOnlyDictionary<NodeId, ulong> _removed = new Dictionary<NodeId, ulong>();

    // As it was recorded before this process; of those that were not, as they were recorded first.
    private Membership _before = known;

    public Membership Membership => _membership;

    /// <summary>Every other member.</summary>
    public IReadOnlyList<NodeId> Peers => _peers;

    /// <summary>A member's base address as clients should know it, without a slash at its end; empty for a stranger.</summary>
    public string AddressOf(NodeId node) =>
        node == self ? settings.AddressOf(self)
        : _membership.Find(node) is { Address: { Length: > 0 } recorded } ? recorded
        : settings.Addresses.ContainsKey(node) ? settings.AddressOf(node)
        : "";

    /// <summary>There is a newer membership, or the same one is committed now.</summary>
    /// <param name="membership">The newest in the log.</param>
    /// <param name="isCommitted">Whether it stays.</param>
    /// <param name="isNews">Whether it was made while this process ran.</param>
    public void Update(Membership membership, bool isCommitted, bool isNews)
    {
        _membership = membership;
        _peers = Others(membership, self);
        _before = isNews
            ? membership.Members.Where(m => _before.Find(m.Id) is not { LogId: not 0 }).Aggregate(_before, (before, first) => before.With(first))
            : membership;

        var calls = new Dictionary<NodeId, PeerRecord>();
        foreach (var peer in _peers)
        {
            if (AddressToDial(membership.Find(peer)!) is { } address)
            {
                calls.Add(peer, new(address, membership.Find(peer)!.LogId));
            }
        }

        if (isCommitted)
        {
            _removed = membership.Removed;
        }

        transport.SetPeers(calls, _removed);
    }

    private Uri? AddressToDial(Member peer)
    {
        var recorded = Parse(AddressOf(peer.Id));
        return _before.Find(peer.Id)!.Address != peer.Address ? recorded : settings.GivenAddresses.GetValueOrDefault(peer.Id) ?? recorded;
    }

    private static NodeId[] Others(Membership membership, NodeId self) => [.. membership.Members.Select(m => m.Id).Where(id => id != self)];

    private static Uri? Parse(string address) => Uri.TryCreate(address, UriKind.Absolute, out var uri) ? uri : null;
}
