using DistDb.Node.Raft;

namespace DistDb.Node.Transport;

/// <summary>
/// What carries messages between nodes: <see cref="PeerTransport"/>, or a network within a test. Messages may be lost, and arrive in order while a
/// link lasts. Whatever is handed on was sent by the node it claims to come from.
/// </summary>
public interface IPeerTransport
{
    /// <summary>Sets who takes the messages; called on any thread, must not block. Before anything is received.</summary>
    void OnReceive(Action<NodeId, PeerMessage> receive);

    /// <summary>Queues a message to a peer. It may be lost.</summary>
    void Send(NodeId peer, PeerMessage message);

    /// <summary>How the links to and from a peer are.</summary>
    LinkState StateOf(NodeId peer);
}
