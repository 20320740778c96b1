using DistDb.Node.Raft;

namespace DistDb.Node.Transport;

/// <summary>
/// What carries messages between nodes: <see cref="PeerTransport"/>, or a network within a test. Messages may be lost, and arrive in order while a
/// link lasts. Whatever is handed on was sent by the node it claims to come from.
/// </summary>
public interface IPeerTransport
{
    /// <summary>
    /// The nodes that are not among the peers and are spoken with all the same, because they or this node are joining: for a member those that
    /// want to be taken in, for a joining node whichever members it has met. <see cref="IdentityOf"/> tells more about each.
    /// </summary>
    IReadOnlyCollection<NodeId> Guests { get; }

    /// <summary>
    /// Takes the reason, for an operator, when a member says that this node was removed from the cluster. Called at most once, on any thread.
    /// Set before the first link.
    /// </summary>
    Action<string>? Expelled { get; set; }

    /// <summary>Before everything else.</summary>
    /// <param name="self">This node as it is now; asked at the beginning of each link, and by <see cref="SetPeers"/> whether it is joining.</param>
    /// <param name="receive">Takes the messages; called on any thread, must not block.</param>
    void Introduce(Func<PeerIdentity> self, Action<NodeId, PeerMessage> receive);

    /// <summary>
    /// Sets who the peers are and where each is reached; links to others end, once what was queued for them is sent, and only peers and guests
    /// are heard. At any time, from any thread, and cheap where nothing changes; again whenever this node has stopped joining.
    /// </summary>
    /// <param name="peers">What is on record of each, without this node.</param>
    /// <param name="removed">
    /// Former members, and the identity of the log that each had: a node that comes with that log is told that it was removed. Only what is
    /// committed: that word is final.
    /// </param>
    void SetPeers(IReadOnlyDictionary<NodeId, PeerRecord> peers, IReadOnlyDictionary<NodeId, ulong> removed);

    /// <summary>Queues a message to a peer or guest. It may be lost, and is where there is no link.</summary>
    void Send(NodeId peer, PeerMessage message);

    /// <summary>How the links to and from a peer or guest are.</summary>
    LinkState StateOf(NodeId peer);

    /// <summary>A number that grows while a peer's message is coming in that takes several reads of its link: the peer is there, though nothing can be handed on yet.</summary>
    long PartCountOf(NodeId peer);

    /// <summary>
    /// What a node said of itself when it last proved who it is to this process, on whosever link; null if it never did. Who is at a peer's address
    /// is in <see cref="StateOf"/>.
    /// </summary>
    PeerIdentity? IdentityOf(NodeId peer);
}
