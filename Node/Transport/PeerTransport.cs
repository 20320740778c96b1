using System.Buffers;
using System.Collections.Concurrent;
using System.Net.WebSockets;
using DistDb.Node.Commands;
using DistDb.Node.Raft;

namespace DistDb.Node.Transport;

/// <summary>
/// All links of this node: one outgoing to each peer, one incoming from each, over WebSockets on the nodes' own HTTP ports. Only what
/// came over an authenticated link is ever handed on.
/// </summary>
public sealed partial class PeerTransport : BackgroundService, IPeerTransport
{
    /// <summary>Where peers knock.</summary>
    public const string Route = "/peer";

    /// <summary>An idle link is asked whether it still stands after this.</summary>
    internal static readonly TimeSpan KeepAliveInterval = TimeSpan.FromSeconds(5);

    /// <summary>A link that does not answer that ends after this.</summary>
    internal static readonly TimeSpan KeepAliveTimeout = TimeSpan.FromSeconds(10);

    private const long RefusalLogIntervalMs = 60_000;

    // Reasons may quote what strangers send; so many distinct ones are remembered.
    private const int RefusalReasonsMax = 100;

    private readonly Dictionary<string, long> _refusalsLogged = [];
    private readonly PeerTransportOptions _options;
    private readonly ILogger _logger;
    private readonly Dictionary<NodeId, PeerLink> _links;
    private readonly ConcurrentDictionary<NodeId, PeerIdentity> _identities = new();
    private readonly ConcurrentDictionary<NodeId, Incoming> _incoming = new();
    private readonly ConcurrentDictionary<NodeId, DateTimeOffset> _lastContact = new();
    private readonly CancellationTokenSource _stopping = new();
    private Func<PeerIdentity> _self = null!;
    private Action<NodeId, PeerMessage>? _receive;

    /// <param name="options">Addresses and limits.</param>
    /// <param name="logger">For links that come and go.</param>
    public PeerTransport(PeerTransportOptions options, ILogger<PeerTransport> logger)
    {
        _options = options;
        _logger = logger;
        _links = options.Peers.Keys.ToDictionary(peer => peer, peer => new PeerLink(peer, options, () => _self(), identity => _identities[peer] = identity, logger));
    }

    public IReadOnlyCollection<NodeId> Guests => [];

    public void Introduce(Func<PeerIdentity> self, Action<NodeId, PeerMessage> receive) => (_self, _receive) = (self, receive);

    public void SetPeers(IReadOnlyDictionary<NodeId, Uri> peers, IReadOnlyDictionary<NodeId, ulong> removed)
    {
    }

    public PeerIdentity? IdentityOf(NodeId peer) => _identities.GetValueOrDefault(peer);

    public void Send(NodeId peer, PeerMessage message) => _links[peer].Send(message);

    public LinkState StateOf(NodeId peer) => new(
        _links[peer].IsConnected,
        _links[peer].Problem,
        _lastContact.TryGetValue(peer, out var at) ? at : null);

    /// <summary>Serves a peer's incoming link for as long as it lasts.</summary>
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
            if (await AuthenticateAsync(socket, lifetime.Token).ConfigureAwait(false) is { } handshake)
            {
                await ReceiveAllAsync(socket, handshake, lifetime).ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is PeerRefusedException or InvalidDataException)
        {
            ReportRefusal(remote, e.Message);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or IOException)
        {
            // The link ended; the peer dials again.
        }
    }

    /// <summary>Ends all incoming links and takes no more, so that the web server can stop. The outgoing ones end with the service.</summary>
    public void EndIncomingLinks() => _stopping.Cancel();

    public override void Dispose()
    {
        _stopping.Dispose();
        base.Dispose();
    }

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(_links.Values.Select(link => link.RunAsync(stoppingToken)));

    /// <summary>The acceptor's side of the handshake; null when the dialer left.</summary>
    private async Task<PeerHandshake?> AuthenticateAsync(WebSocket socket, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(_options.ConnectTimeout);
        var handshake = new PeerHandshake(_options.Secret, _self());
        var buffer = new ArrayBufferWriter<byte>();
        if (!await WebSocketFrames.ReceiveAsync(socket, buffer, WebSocketFrames.HandshakeBytesMax, timeout.Token).ConfigureAwait(false))
        {
            return null;
        }

        var challenge = handshake.CreateChallenge(buffer.WrittenSpan);
        await WebSocketFrames.SendAsync(socket, challenge, timeout.Token).ConfigureAwait(false);
        if (!await WebSocketFrames.ReceiveAsync(socket, buffer, WebSocketFrames.HandshakeBytesMax, timeout.Token).ConfigureAwait(false))
        {
            return null;
        }

        try
        {
            handshake.CheckResponse(buffer.WrittenSpan);
            _identities[new(handshake.Peer!.Node)] = handshake.Peer;
            if (!_links.ContainsKey(new(handshake.Peer!.Node)))
            {
                throw new PeerRefusedException($"node {handshake.Peer.Node} is not a peer of this node");
            }
        }
        catch (PeerRefusedException e)
        {
            var verdict = new WireWriter();
            verdict.WriteText(e.Message);
            await WebSocketFrames.SendAsync(socket, verdict.Written, timeout.Token).ConfigureAwait(false);
            throw;
        }

        await WebSocketFrames.SendAsync(socket, default, timeout.Token).ConfigureAwait(false);
        return handshake;
    }

    private async Task ReceiveAllAsync(WebSocket socket, PeerHandshake handshake, CancellationTokenSource lifetime)
    {
        var peer = new NodeId(handshake.Peer!.Node);
        var incoming = new Incoming(lifetime);
        _incoming.AddOrUpdate(peer, incoming, (_, previous) =>
        {
            // The peer dialled again, so its old link is dead, noticed or not.
            previous.End();
            return incoming;
        });
        try
        {
            using var seal = new FrameSeal(handshake.DeriveSessionKey());
            var buffer = new ArrayBufferWriter<byte>(4096);
            while (await WebSocketFrames.ReceiveAsync(socket, buffer, WebSocketFrames.FrameBytesMax, lifetime.Token).ConfigureAwait(false))
            {
                Dispatch(peer, seal.Open(buffer.WrittenSpan));
            }
        }
        finally
        {
            incoming.Ended();
            _incoming.TryRemove(new(peer, incoming));
        }
    }

    private void Dispatch(NodeId peer, ReadOnlySpan<byte> payload)
    {
        _lastContact[peer] = DateTimeOffset.UtcNow;
        foreach (var message in PeerMessageCodec.ReadAll(payload, peer, _options.Self))
        {
            _receive?.Invoke(peer, message);
        }
    }

    /// <summary>Whoever is refused dials again and again; each reason is logged once a minute.</summary>
    private void ReportRefusal(string remote, string reason)
    {
        var now = Environment.TickCount64;
        lock (_refusalsLogged)
        {
            if (_refusalsLogged.TryGetValue(reason, out var at) && now - at < RefusalLogIntervalMs)
            {
                return;
            }

            if (_refusalsLogged.Count >= RefusalReasonsMax)
            {
                _refusalsLogged.Clear();
            }

            _refusalsLogged[reason] = now;
        }

        LogRefused(remote, reason);
    }

    [LoggerMessage(EventId = 303, Level = LogLevel.Warning, Message = "Refused a peer link from {Remote}: {Reason}.")]
    private partial void LogRefused(string remote, string reason);

    /// <summary>Lets a newer link of the same peer end an older one, unless that has ended by itself.</summary>
    private sealed class Incoming(CancellationTokenSource lifetime)
    {
        private readonly Lock _lock = new();
        private bool _hasEnded;

        public void End()
        {
            lock (_lock)
            {
                if (!_hasEnded)
                {
                    lifetime.Cancel();
                }
            }
        }

        public void Ended()
        {
            lock (_lock)
            {
                _hasEnded = true;
            }
        }
    }
}
