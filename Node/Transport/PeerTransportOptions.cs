using DistDb.Node.Raft;

namespace DistDb.Node.Transport;

/// <summary>Where the peers are and how patiently they are called.</summary>
public sealed record PeerTransportOptions
{
    /// <summary>This node.</summary>
    public required NodeId Self { get; init; }

    /// <summary>Every other node's base address, such as <c>http://127.0.0.1:8081</c>.</summary>
    public required IReadOnlyDictionary<NodeId, Uri> Peers { get; init; }

    /// <summary>The cluster secret's bytes.</summary>
    public required byte[] Secret { get; init; }

    /// <summary>Pause before the first new try after a link broke. Default 50 ms: a heartbeat.</summary>
    public TimeSpan ReconnectDelayMin { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The pause doubles up to this. Default 1 s, so that a node that comes back is heard within that.</summary>
    public TimeSpan ReconnectDelayMax { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long connecting and the handshake may take. Default 3 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>Messages waiting for one peer; more are dropped, which every protocol above survives. Default 8192.</summary>
    public int OutboundMessagesMax { get; init; } = 8192;

    /// <summary>Messages are gathered into one frame up to this. Default 256 KiB.</summary>
    public int FrameBytesTarget { get; init; } = 256 << 10;
}
