using DistDb.Node.Raft;
using DistDb.Node.Transport;

namespace DistDb.Node.Replication;

/// <summary>
/// Who the other nodes are and where each is reached, by the latest word: what the command line said holds until the log records, while this
/// process runs, that a node has moved. Keeps the transport's links in step. Written by one thread (the Raft loop), read by any.
/// </summary>
/// <param name="self">This node.</param>
/// <param name="settings">What the command line said.</param>
/// <param name="transport">Told with the first <see cref="Update"/>.</param>
/// <param name="known">As the log has it at the start.</param>
internal sealed class MemberDirectory(NodeId self, ClusterSettings settings, IPeerTransport transport, Membership known)
{
    private readonly Dictionary<NodeId, Uri> _moved = [];
    private volatile Membership _membership = known;
    private volatile IReadOnlyList<NodeId> _peers = Others(known, self);
    private IReadOnlyDictionary<NodeId, ulong> _removed = new Dictionary<NodeId, ulong>();
    private bool _isFromLog;

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
    public void Update(Membership membership, bool isCommitted)
    {
        var isFromLog = membership.Members.Any(m => m.LogId != 0);
        if (_isFromLog)
        {
            foreach (var member in membership.Members)
            {
                if (_membership.Find(member.Id) is { Address: var before } && before != member.Address && Parse(member.Address) is { } address)
                {
                    _moved[member.Id] = address;
                }
            }
        }

        _isFromLog = isFromLog;
        _membership = membership;
        _peers = Others(membership, self);
        var calls = new Dictionary<NodeId, PeerRecord>();
        foreach (var peer in _peers)
        {
            if ((_moved.GetValueOrDefault(peer) ?? settings.GivenAddresses.GetValueOrDefault(peer) ?? Parse(AddressOf(peer))) is { } address)
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

    private static NodeId[] Others(Membership membership, NodeId self) => [.. membership.Members.Select(m => m.Id).Where(id => id != self)];

    private static Uri? Parse(string address) => Uri.TryCreate(address, UriKind.Absolute, out var uri) ? uri : null;
}
