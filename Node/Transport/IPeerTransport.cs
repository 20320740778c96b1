using DistDb.Node.Raft;

namespace DistDb.Node.Transport;

/// <summary>
/// What carries messages between nodes: <see cref="PeerTransport"/>, or a network within a test. Messages may be lost, and arrive in order while a
/// link lasts. Whatever is handed on was sent by the node it claims to come from.
/// </summary>
public interface IPeerTransport
{
    /// <summary>
    /// Authenticated nodes that are not among the peers and want to be: they have a link to this node, and this node keeps one to them for as
    /// long as theirs lasts, so that they can be answered.
    /// </summary>
    IReadOnlyCollection<NodeId> Guests { get; }

    /// <summary>Before anything is sent or received.</summary>
    /// <param name="self">This node as it is now; asked at the beginning of each link.</param>
    /// <param name="receive">Takes the messages; called on any thread, must not block.</param>
    void Introduce(Func<PeerIdentity> self, Action<NodeId, PeerMessage> receive);

    /// <summary>Sets who the peers are and where each is reached; links to others end, and only peers, guests and hosts are heard.</summary>
    /// <param name="peers">Base addresses by id, without this node.</param>
    /// <param name="removed">Former members, and the identity of the log that each had: a node that comes with that log is told that it was removed.</param>
    void SetPeers(IReadOnlyDictionary<NodeId, Uri> peers, IReadOnlyDictionary<NodeId, ulong> removed);

    /// <summary>Queues a message to a peer or guest. It may be lost.</summary>
    void Send(NodeId peer, PeerMessage message);

    /// <summary>How the links to and from a peer are.</summary>
    LinkState StateOf(NodeId peer);

    /// <summary>What a node said of itself when it last proved who it is, to this process; null if it never did.</summary>
    PeerIdentity? IdentityOf(NodeId peer);
}
