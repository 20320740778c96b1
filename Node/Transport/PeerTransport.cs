using System.Net.WebSockets;
using DistDb.Node.Raft;

namespace DistDb.Node.Transport;

/// <summary>
/// All links of this node: one outgoing to each node that it talks with, one incoming from each, over WebSockets on the nodes' own HTTP ports. Only
/// what came over an authenticated link is ever handed on.
/// </summary>
public sealed class PeerTransport : BackgroundService, IPeerTransport
{
    /// <summary>Where peers knock.</summary>
    public const string Route = "/peer";

    /// <summary>An idle link is asked whether it still stands after this.</summary>
    internal static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(5);

    /// <summary>A link that does not answer that ends after this.</summary>
    internal static readonly TimeSpan KeepAliveTimeout = TimeSpan.FromSeconds(10);

    private readonly PeerTransportOptions _options;
    private readonly PeerDirectory _directory;
    private readonly HandshakeSlots _handshakes;
    private readonly CancellationTokenSource _stopping = new();
    private Action<NodeId, PeerMessage>? _receive;

    /// <param name="options">The secret, limits and patience.</param>
    /// <param name="logger">For links that come and go.</param>
    public PeerTransport(PeerTransportOptions options, ILogger<PeerTransport> logger)
    {
        _options = options;
        _directory = new(options, logger);
        _handshakes = new(options.HandshakesMax);
    }

    public IReadOnlyCollection<NodeId> Guests => _directory.Guests;

    public Action<string>? Expelled
    {
        get => _directory.Expelled;
        set => _directory.Expelled = value;
    }

    public void Introduce(Func<PeerIdentity> self, Action<NodeId, PeerMessage> receive) => (_directory.Self, _receive) = (self, receive);

    public void SetPeers(IReadOnlyDictionary<NodeId, PeerRecord> peers, IReadOnlyDictionary<NodeId, ulong> removed) => _directory.SetPeers(peers, removed);

    public void Send(NodeId peer, PeerMessage message) => _directory.LinkTo(peer)?.Send(message);

    public LinkState StateOf(NodeId peer)
    {
        var link = _directory.LinkTo(peer);
        var identity = link?.Identity;
        return new(identity is not null, link?.Problem, _directory.ContactOf(peer).HeardAt, identity);
    }

    public long PartCountOf(NodeId peer) => _directory.ContactOf(peer).PartCount;

    public PeerIdentity? IdentityOf(NodeId peer) => _directory.ContactOf(peer).Identity;

    /// <summary>Serves another node's link for as long as it lasts.</summary>
    public async Task AcceptAsync(HttpContext context)
    {
        if (!context.WebSockets.IsWebSocketRequest)
        {
            context.Response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }

        using var lifetime = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, _stopping.Token);
        using var socket = await context.WebSockets.AcceptWebSocketAsync().ConfigureAwait(false);
        var remote = $"{context.Connection.RemoteIpAddress}";
        try
        {
            if (await AuthenticateAsync(socket, remote, lifetime.Token).ConfigureAwait(false) is { } handshake)
            {
                await ServeAsync(socket, handshake, lifetime).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is PeerRefusedException or InvalidDataException)
        {
            _directory.ReportRefusal(remote, e.Message);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException)
        {
            // The link ended; the other node dials again.
        }
    }

    /// <summary>Ends all incoming links and takes no more, so that the web server can stop. The outgoing ones end with the service.</summary>
    public void EndIncomingLinks() => _stopping.Cancel();

    public override void Dispose()
    {
        _stopping.Dispose();
        base.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Parallel.ForEachAsync(
                _directory.Started.ReadAllAsync(stoppingToken),
                new ParallelOptions { MaxDegreeOfParallelism = int.MaxValue, CancellationToken = stoppingToken },
                async (link, cancellationToken) => await link.RunAsync(cancellationToken).ConfigureAwait(false)).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The node stops, or did not come to start: the host would call the latter a failure of this service.
        }
    }

    /// <summary>The acceptor's side of the handshake up to the dialer's proof; null when the dialer left.</summary>
    private async Task<PeerHandshake?> AuthenticateAsync(WebSocket socket, string remote, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(_options.ConnectTimeout);
        if (_handshakes.Enter(timeout))
        {
            _directory.ReportRefusal(remote, $"more than {_options.HandshakesMax} links began at once, and the oldest has not said yet who it is");
        }

        try
        {
            var handshake = new PeerHandshake(_options.Secret, _directory.Self());
            using var buffer = new FrameBuffer();
            if (!await WebSocketFrames.ReceiveAsync(socket, buffer, WebSocketFrames.HandshakeBytesMax, null, timeout.Token).ConfigureAwait(false))
            {
                return null;
            }

            var challenge = handshake.CreateChallenge(buffer.Written);
            await WebSocketFrames.SendAsync(socket, challenge, timeout.Token).ConfigureAwait(false);
            if (!await WebSocketFrames.ReceiveAsync(socket, buffer, WebSocketFrames.HandshakeBytesMax, null, timeout.Token).ConfigureAwait(false))
            {
                return null;
            }

            handshake.CheckResponse(buffer.Written);
            return handshake;
        }
        finally
        {
            _handshakes.Leave(timeout);
        }
    }

    /// <summary>Tells a node that has proved who it is whether it is welcome, and if so hears it.</summary>
    private async Task ServeAsync(WebSocket socket, PeerHandshake handshake, CancellationTokenSource lifetime)
    {
        using var link = new IncomingLink(handshake.Peer!, lifetime);
        try
        {
            var verdict = _directory.Admit(handshake.Self, link);
            await WebSocketFrames.SendAsync(socket, handshake.CreateVerdict(verdict), lifetime.Token).ConfigureAwait(false);
            if (verdict.Kind != PeerVerdictKind.Welcome)
            {
                throw new PeerRefusedException(verdict.Reason);
            }

            using var seal = new FrameSeal(handshake.DeriveSessionKey());
            var contact = _directory.ContactOf(link.Peer);
            using var buffer = new FrameBuffer();
            void Preview()
            {
                contact.HearPart();
                seal.Preview(buffer.Written);
            }

            while (await WebSocketFrames.ReceiveAsync(socket, buffer, WebSocketFrames.FrameBytesMax, Preview, lifetime.Token).ConfigureAwait(false))
            {
                var payload = seal.Open(buffer.Written);
                contact.Hear();
                foreach (var message in PeerMessageCodec.ReadAll(payload, link.Peer, _options.Self))
                {
                    _receive?.Invoke(link.Peer, message);
                }
            }
        }
        finally
        {
            _directory.Leave(link);
        }
    }
}
