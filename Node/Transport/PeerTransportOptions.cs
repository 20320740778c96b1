using System.Net.Security;
using DistDb.Node.Raft;
using DistDb.Node.Tls;

namespace DistDb.Node.Transport;

/// <summary>How patiently other nodes are called, and how many are listened to. Who the peers are comes from <see cref="IPeerTransport.SetPeers"/>.</summary>
public sealed record PeerTransportOptions
{
    /// <summary>This node.</summary>
    public required NodeId Self { get; init; }

    /// <summary>The cluster secret's bytes.</summary>
    public required byte[] Secret { get; init; }

    /// <summary>
    /// Base addresses, such as <c>http://127.0.0.1:8081</c>, at which a joining node looks for members of its cluster, whichever those are.
    /// Not used by a node that does not join.
    /// </summary>
    public IReadOnlyList<Uri> Hosts { get; init; } = [];

    /// <summary>How to dial a peer whose address begins with <c>https://</c>; asked for each time. Default: with the operating system's roots.</summary>
    public Func<SslClientAuthenticationOptions> CreateTlsOptions { get; init; } = CertificateTrust.OfSystem.CreateClientOptions;

    /// <summary>Pause before the first new try after a link broke. Default 50 ms: a heartbeat.</summary>
    public TimeSpan ReconnectDelayMin { get; init; } = TimeSpan.FromMilliseconds(50);

    /// <summary>The pause doubles up to this. Default 1 s, so that a node that comes back is heard within that.</summary>
    public TimeSpan ReconnectDelayMax { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>How long connecting and the handshake may take. Default 3 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>
    /// A link to a peer that spoke since it stands and then fell silent for this long is dialled anew. Default 3 s: twelve reports that did
    /// not come, and a fifth of what it takes until an idle connection counts as dead.
    /// </summary>
    public TimeSpan SilenceMax { get; init; } = TimeSpan.FromSeconds(3);

    /// <summary>How long a link that is not wanted any more may take to send what was queued. Default 1 s.</summary>
    public TimeSpan FarewellPatience { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Nodes that are no peers and are listened to all the same, because they or this node are joining. Default 32.</summary>
    public int GuestsMax { get; init; } = 32;

    /// <summary>Incoming links of which it is not known yet who is at the other end. Default 64, over any number of nodes that start together.</summary>
    public int HandshakesMax { get; init; } = 64;

    /// <summary>Messages waiting for one peer; more are dropped, which every protocol above survives. Default 8192.</summary>
    public int OutboundMessagesMax { get; init; } = 8192;

    /// <summary>Messages are gathered into one frame up to this. Default 256 KiB.</summary>
    public int FrameBytesTarget { get; init; } = 256 << 10;
}
