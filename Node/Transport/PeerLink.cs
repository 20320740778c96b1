using System.Buffers;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Threading.Channels;
using DistDb.Node.Commands;
using DistDb.Node.Raft;

namespace DistDb.Node.Transport;

/// <summary>
/// The link over which this node speaks to one peer: dials, proves itself, sends what is queued, and dials again when the link breaks.
/// The peer answers over its own link. Messages that wait while there is no link are dropped, never kept for later: they would be stale.
/// </summary>
internal sealed partial class PeerLink
{
    private readonly NodeId _peer;
    private readonly Uri _address;
    private readonly PeerTransportOptions _options;
    private readonly Func<PeerIdentity> _self;
    private readonly Action<PeerIdentity> _met;
    private readonly ILogger _logger;
    private readonly Channel<PeerMessage> _outbound;
    private volatile bool _isConnected;
    private volatile string? _problem;
    private string? _loggedProblem;

    public PeerLink(NodeId peer, PeerTransportOptions options, Func<PeerIdentity> self, Action<PeerIdentity> met, ILogger logger)
    {
        _met = met;
        _peer = peer;
        _options = options;
        _self = self;
        _logger = logger;
        _address = new UriBuilder(new Uri(options.Peers[peer], PeerTransport.Route))
        {
            Scheme = options.Peers[peer].Scheme == Uri.UriSchemeHttps ? Uri.UriSchemeWss : Uri.UriSchemeWs,
        }.Uri;
        _outbound = Channel.CreateBounded<PeerMessage>(
            new BoundedChannelOptions(options.OutboundMessagesMax) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    }

    public bool IsConnected => _isConnected;

    public string? Problem => _problem;

    /// <summary>Queues a message; drops it when there is no link or too much waits.</summary>
    public void Send(PeerMessage message)
    {
        if (_isConnected)
        {
            _outbound.Writer.TryWrite(message);
        }
    }

    /// <summary>Keeps the link up until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var delay = _options.ReconnectDelayMin;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                using var socket = new ClientWebSocket();
                using var seal = await ConnectAsync(socket, cancellationToken).ConfigureAwait(false);
                delay = _options.ReconnectDelayMin;
                await PumpAsync(socket, seal, cancellationToken).ConfigureAwait(false);
                ReportProblem("the peer closed the link");
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (OperationCanceledException)
            {
                ReportProblem("no answer in time");
            }
            catch (PeerRefusedException e)
            {
                ReportProblem(e.Message);
            }
            catch (Exception e) when (e is WebSocketException or HttpRequestException or IOException or SocketException or InvalidDataException)
            {
                ReportProblem((e.GetBaseException() as SocketException)?.Message ?? e.Message);
            }
            finally
            {
                _isConnected = false;
                while (_outbound.Reader.TryRead(out _))
                {
                }
            }

            // Spread by up to half, so that nodes that lost each other together do not call together for ever.
            var pause = delay * (1 + (Random.Shared.NextDouble() / 2));
            delay = TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, _options.ReconnectDelayMax.Ticks));
            await Task.Delay(pause, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task<FrameSeal> ConnectAsync(ClientWebSocket socket, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(_options.ConnectTimeout);
        socket.Options.Proxy = null;
        socket.Options.KeepAliveInterval = PeerTransport.KeepAliveInterval;
        socket.Options.KeepAliveTimeout = PeerTransport.KeepAliveTimeout;
        await socket.ConnectAsync(_address, timeout.Token).ConfigureAwait(false);

        var handshake = new PeerHandshake(_options.Secret, _self());
        var buffer = new ArrayBufferWriter<byte>();
        await WebSocketFrames.SendAsync(socket, handshake.CreateHello(), timeout.Token).ConfigureAwait(false);
        await ReceiveAsync(socket, buffer, timeout.Token).ConfigureAwait(false);
        var response = handshake.CreateResponse(buffer.WrittenSpan);
        if (handshake.Peer!.Node != _peer.Value)
        {
            throw new PeerRefusedException($"node {handshake.Peer.Node} answers at {_address.Authority}, where node {_peer} is expected; check the addresses");
        }

        await WebSocketFrames.SendAsync(socket, response, timeout.Token).ConfigureAwait(false);
        await ReceiveAsync(socket, buffer, timeout.Token).ConfigureAwait(false);
        if (ReadVerdict(buffer.WrittenSpan) is { } reason)
        {
            throw new PeerRefusedException(reason);
        }

        _met(handshake.Peer);
        return new(handshake.DeriveSessionKey());
    }

    private static string? ReadVerdict(ReadOnlySpan<byte> verdict)
    {
        if (verdict.IsEmpty)
        {
            return null;
        }

        var reader = new WireReader(verdict);
        return reader.ReadText();
    }

    private static async Task ReceiveAsync(ClientWebSocket socket, ArrayBufferWriter<byte> buffer, CancellationToken cancellationToken)
    {
        if (!await WebSocketFrames.ReceiveAsync(socket, buffer, WebSocketFrames.HandshakeBytesMax, cancellationToken).ConfigureAwait(false))
        {
            throw new PeerRefusedException("the peer closed the link during the handshake");
        }
    }

    private async Task PumpAsync(ClientWebSocket socket, FrameSeal seal, CancellationToken cancellationToken)
    {
        using var broken = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var closed = WatchForCloseAsync(socket, broken);
        _problem = null;
        _loggedProblem = null;
        _isConnected = true;
        LogConnected(_peer, _address.Authority);
        try
        {
            var writer = new WireWriter();
            var tag = new byte[FrameSeal.TagBytes];
            while (await _outbound.Reader.WaitToReadAsync(broken.Token).ConfigureAwait(false))
            {
                writer.Clear();
                while (writer.BytesWritten < _options.FrameBytesTarget && _outbound.Reader.TryRead(out var message))
                {
                    PeerMessageCodec.Write(writer, message);
                }

                seal.Sign(writer.Written.Span, tag);
                writer.WriteRaw(tag);
                await WebSocketFrames.SendAsync(socket, writer.Written, broken.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // The other end closed: an ordinary end of the link.
        }
        finally
        {
            await broken.CancelAsync().ConfigureAwait(false);
            await closed.ConfigureAwait(false);
        }
    }

    /// <summary>Nothing comes over this link but its end; notices that while nothing is being sent.</summary>
    private static async Task WatchForCloseAsync(ClientWebSocket socket, CancellationTokenSource broken)
    {
        try
        {
            await WebSocketFrames.ReceiveAsync(socket, new(), WebSocketFrames.HandshakeBytesMax, broken.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or PeerRefusedException)
        {
            // However it ended, it ended.
        }

        await broken.CancelAsync().ConfigureAwait(false);
    }

    /// <summary>A problem that lasts is logged once, not with every try.</summary>
    private void ReportProblem(string problem)
    {
        _problem = problem;
        if (_loggedProblem != problem)
        {
            _loggedProblem = problem;
            LogProblem(_peer, _address.Authority, problem);
        }
    }

    [LoggerMessage(EventId = 301, Level = LogLevel.Information, Message = "Linked to node {Peer} at {Address}.")]
    private partial void LogConnected(NodeId peer, string address);

    [LoggerMessage(EventId = 302, Level = LogLevel.Warning, Message = "No link to node {Peer} at {Address}: {Problem}. Trying again until it answers.")]
    private partial void LogProblem(NodeId peer, string address, string problem);
}
