using System.Net.Sockets;
using System.Net.WebSockets;
using System.Threading.Channels;
using DistDb.Node.Commands;
using DistDb.Node.Raft;
using DistDb.Node.Tls;

namespace DistDb.Node.Transport;

/// <summary>
/// The link over which this node speaks to another one at one address: dials, proves itself, sends what is queued, and dials again when the link
/// breaks. The other answers over its own link. Messages that wait while there is no link are dropped, never kept for later: they would be stale.
/// </summary>
internal sealed partial class PeerLink
{
    // Silence is measured in ticks of this process, so that one that was paused itself first hears what has come in the meantime.
    private const int SilenceTicks = 6;

    private readonly PeerTransportOptions _options;
    private readonly PeerDirectory _directory;
    private readonly ILogger _logger;
    private readonly Channel<PeerMessage> _outbound;
    private readonly TaskCompletionSource _ending = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<bool> _knocks = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private volatile PeerIdentity? _identity;
    private volatile string? _problem;
    private string? _loggedProblem;

    // The address says http, and TLS is spoken there by now. The other way round there is no such thing: https is a promise.
    private bool _hasTlsAfterAll;

    /// <param name="peer">Who is expected there; null for a host, where anybody may be.</param>
    /// <param name="address">The base address.</param>
    /// <param name="options">Patience and limits.</param>
    /// <param name="directory">Judges who is met, and is told what becomes of the link.</param>
    /// <param name="logger">For the link's coming and going.</param>
    public PeerLink(NodeId? peer, Uri address, PeerTransportOptions options, PeerDirectory directory, ILogger logger)
    {
        Peer = peer;
        Address = address;
        _options = options;
        _directory = directory;
        _logger = logger;
        _outbound = Channel.CreateBounded<PeerMessage>(
            new BoundedChannelOptions(options.OutboundMessagesMax) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });
    }

    /// <summary>Who is expected at the other end; null for a host.</summary>
    public NodeId? Peer { get; }

    /// <summary>The base address that is dialled.</summary>
    public Uri Address { get; }

    public string Authority => Address.Authority;

    /// <summary>Whether anybody may be at the other end.</summary>
    public bool IsToHost => Peer is null;

    /// <summary>Who is at the other end, by its own word in the handshake; null while the link does not stand.</summary>
    public PeerIdentity? Identity => _identity;

    public bool IsConnected => _identity is not null;

    public string? Problem => _problem;

    /// <summary>Whether <see cref="End"/> was called.</summary>
    public bool IsEnded => _ending.Task.IsCompleted;

    /// <summary>Queues a message; drops it when there is no link or too much waits.</summary>
    public void Send(PeerMessage message)
    {
        if (IsConnected)
        {
            _outbound.Writer.TryWrite(message);
        }
    }

    /// <summary>The peer has come by itself, so it is there: where the link does not stand, the pause before the next try ends.</summary>
    public void Hurry()
    {
        if (!IsConnected)
        {
            _knocks.Writer.TryWrite(true);
        }
    }

    /// <summary>Takes nothing more; what is queued is sent if that is quickly done, and the link ends for good.</summary>
    public void End()
    {
        _outbound.Writer.TryComplete();
        _ending.TrySetResult();
    }

    /// <summary>Keeps the link up until ended or cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        using var dialling = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var ended = CancelAtEndAsync(dialling);
        var delay = _options.ReconnectDelayMin;
        while (!dialling.IsCancellationRequested && !IsEnded)
        {
            try
            {
                using var socket = new ClientWebSocket();
                if (await ConnectAsync(socket, dialling.Token).ConfigureAwait(false) is { } handshake)
                {
                    delay = _options.ReconnectDelayMin;
                    ReportProblem(await PumpAsync(socket, handshake, cancellationToken).ConfigureAwait(false));
                }
                else
                {
                    delay = _options.ReconnectDelayMax;
                }
            }
            catch (OperationCanceledException) when (!dialling.IsCancellationRequested)
            {
                ReportProblem("no answer in time");
            }
            catch (OperationCanceledException)
            {
                // Ended, or the node stops.
            }
            catch (PeerRefusedException e)
            {
                ReportProblem(e.Message);
            }
            catch (Exception e) when (e is WebSocketException or HttpRequestException or IOException or SocketException or InvalidDataException)
            {
                _hasTlsAfterAll = false;
                ReportProblem(TlsFailure.Describe(e) ?? (e.GetBaseException() as SocketException)?.Message ?? e.Message);
            }
            finally
            {
                _identity = null;
                while (_outbound.Reader.TryRead(out _))
                {
                }

                if (IsToHost)
                {
                    _directory.Lose(this);
                }
            }

            // Spread by up to half, so that nodes that lost each other together do not call together for ever.
            var pause = delay * (1 + (Random.Shared.NextDouble() / 2));
            delay = TimeSpan.FromTicks(Math.Min(delay.Ticks * 2, _options.ReconnectDelayMax.Ticks));
            if (await KnocksWithinAsync(pause, dialling.Token).ConfigureAwait(false))
            {
                // It may have dialled before it listens.
                delay = _options.ReconnectDelayMin;
            }
        }

        await dialling.CancelAsync().ConfigureAwait(false);
        await ended.ConfigureAwait(false);
    }

    /// <summary>Waits for a while, or until the peer comes by itself, or has done so during the last try; false where it has not.</summary>
    private async Task<bool> KnocksWithinAsync(TimeSpan pause, CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(pause);
        try
        {
            return await _knocks.Reader.ReadAsync(limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private async Task CancelAtEndAsync(CancellationTokenSource dialling)
    {
        await _ending.Task.WaitAsync(dialling.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await dialling.CancelAsync().ConfigureAwait(false);
    }

    /// <summary>The handshake that succeeded; null when the link is not needed.</summary>
    private async Task<PeerHandshake?> ConnectAsync(ClientWebSocket socket, CancellationToken cancellationToken)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timeout.CancelAfter(_options.ConnectTimeout);
        await OpenAsync(socket, timeout.Token).ConfigureAwait(false);

        var handshake = new PeerHandshake(_options.Secret, _directory.Self());
        using var buffer = new FrameBuffer();
        await WebSocketFrames.SendAsync(socket, handshake.CreateHello(), timeout.Token).ConfigureAwait(false);
        await ReceiveAsync(socket, buffer, timeout.Token).ConfigureAwait(false);
        var response = handshake.CreateResponse(buffer.Written);
        if (!_directory.Meet(this, handshake.Peer!))
        {
            return null;
        }

        await WebSocketFrames.SendAsync(socket, response, timeout.Token).ConfigureAwait(false);
        await ReceiveAsync(socket, buffer, timeout.Token).ConfigureAwait(false);
        var verdict = handshake.ReadVerdict(buffer.Written);
        if (verdict.Kind == PeerVerdictKind.Removed)
        {
            _directory.Expel(verdict.Reason);
        }

        return verdict.Kind == PeerVerdictKind.Welcome ? handshake : throw new PeerRefusedException(verdict.Reason);
    }

    private async Task OpenAsync(ClientWebSocket socket, CancellationToken cancellationToken)
    {
        socket.Options.KeepAliveInterval = PeerTransport.KeepAliveInterval;
        socket.Options.KeepAliveTimeout = PeerTransport.KeepAliveTimeout;
        socket.Options.CollectHttpResponseDetails = true;
        var address = new UriBuilder(new Uri(Address, PeerTransport.Route))
        {
            Scheme = _hasTlsAfterAll || Address.Scheme == Uri.UriSchemeHttps ? Uri.UriSchemeWss : Uri.UriSchemeWs,
        };
        using var http = new HttpMessageInvoker(new SocketsHttpHandler { UseProxy = false, SslOptions = _options.CreateTlsOptions() });
        try
        {
            await socket.ConnectAsync(address.Uri, http, cancellationToken).ConfigureAwait(false);
        }
        catch (WebSocketException) when (TlsFailure.IsDemandOfTls(socket.HttpResponseHeaders))
        {
            _hasTlsAfterAll = true;
            throw new PeerRefusedException("it speaks TLS by now");
        }
    }

    private static async Task ReceiveAsync(ClientWebSocket socket, FrameBuffer buffer, CancellationToken cancellationToken)
    {
        if (!await WebSocketFrames.ReceiveAsync(socket, buffer, WebSocketFrames.HandshakeBytesMax, null, cancellationToken).ConfigureAwait(false))
        {
            throw new PeerRefusedException("the peer closed the link during the handshake");
        }
    }

    /// <summary>Sends what is queued until the link breaks or is ended, and says why it broke.</summary>
    private async Task<string> PumpAsync(ClientWebSocket socket, PeerHandshake handshake, CancellationToken cancellationToken)
    {
        using var broken = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using var seal = new FrameSeal(handshake.DeriveSessionKey());
        var peer = new NodeId(handshake.Peer!.Node);
        var contact = _directory.ContactOf(peer);
        _problem = null;
        _loggedProblem = null;
        _identity = handshake.Peer;

        // Whoever knocked is reached: the pause after the next break is not to be skipped for that.
        _ = _knocks.Reader.TryRead(out _);
        _directory.Reached(this);
        LogConnected(peer, Authority);
        var closed = WatchForCloseAsync(socket, broken);
        var silent = WatchForSilenceAsync(contact, broken);
        var patience = LimitFarewellAsync(broken);
        try
        {
            var writer = new WireWriter();
            while (await _outbound.Reader.WaitToReadAsync(broken.Token).ConfigureAwait(false))
            {
                writer.Clear();
                while (writer.BytesWritten < _options.FrameBytesTarget && _outbound.Reader.TryRead(out var message))
                {
                    PeerMessageCodec.Write(writer, message);
                }

                await WebSocketFrames.SendAsync(socket, writer, seal, broken.Token).ConfigureAwait(false);
                writer = writer.Capacity > WebSocketFrames.KeptBytesMax ? new() : writer;
            }

            // The other end closes when it has read everything; before that, closing might take it away again.
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, broken.Token).ConfigureAwait(false);
            await closed.ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // One of the watches ended the link.
        }
        finally
        {
            await broken.CancelAsync().ConfigureAwait(false);
            await Task.WhenAll(closed, silent, patience).ConfigureAwait(false);
        }

        return await silent.ConfigureAwait(false) ? "the peer fell silent" : "the peer closed the link";
    }

    /// <summary>Nothing comes over this link but its end; notices that while nothing is being sent.</summary>
    private static async Task WatchForCloseAsync(ClientWebSocket socket, CancellationTokenSource broken)
    {
        try
        {
            await WebSocketFrames.ReceiveAsync(socket, new(), WebSocketFrames.HandshakeBytesMax, null, broken.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or WebSocketException or PeerRefusedException)
        {
            // However it ended, it ended.
        }

        await broken.CancelAsync().ConfigureAwait(false);
    }

    /// <summary>
    /// Ends a link whose peer spoke and fell silent, and says whether it did. A cut cable or a machine without power resets nothing: what is
    /// written vanishes, while a new connection may get through. One that never spoke is left alone, because its own link may be what does not work.
    /// </summary>
    private async Task<bool> WatchForSilenceAsync(PeerContact contact, CancellationTokenSource broken)
    {
        using var timer = new PeriodicTimer(_options.SilenceMax / SilenceTicks);
        var (heard, hasSpoken, silentTicks) = (contact.SignCount, false, 0);
        try
        {
            while (silentTicks < SilenceTicks)
            {
                await timer.WaitForNextTickAsync(broken.Token).ConfigureAwait(false);
                var now = contact.SignCount;
                hasSpoken |= now != heard;
                silentTicks = now != heard || !hasSpoken ? 0 : silentTicks + 1;
                heard = now;
            }
        }
        catch (OperationCanceledException)
        {
            return false;
        }

        await broken.CancelAsync().ConfigureAwait(false);
        return true;
    }

    /// <summary>Once the link is ended, the rest may take only so long.</summary>
    private async Task LimitFarewellAsync(CancellationTokenSource broken)
    {
        await _ending.Task.WaitAsync(broken.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (IsEnded)
        {
            await Task.Delay(_options.FarewellPatience, broken.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await broken.CancelAsync().ConfigureAwait(false);
        }
    }

    /// <summary>A problem that lasts is logged once, not with every try.</summary>
    private void ReportProblem(string problem)
    {
        _problem = problem;
        if (_loggedProblem != problem && !IsEnded)
        {
            _loggedProblem = problem;
            LogProblem(Peer is { } peer ? $"node {peer}" : "a node", Authority, problem);
        }
    }

    [LoggerMessage(EventId = 301, Level = LogLevel.Information, Message = "Linked to node {Peer} at {Address}.")]
    private partial void LogConnected(NodeId peer, string address);

    [LoggerMessage(EventId = 302, Level = LogLevel.Warning, Message = "No link to {Peer} at {Address}: {Problem}. Trying again until it answers.")]
    private partial void LogProblem(string peer, string address, string problem);
}
