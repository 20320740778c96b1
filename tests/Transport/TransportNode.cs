using System.Collections.Concurrent;
using System.Text;
using DistDb.Node.Raft;
using DistDb.Node.Transport;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace DistDb.Tests.Transport;

/// <summary>A <see cref="PeerTransport"/> behind a real web server on a free loopback port, and what it was told.</summary>
internal sealed class TransportNode : IAsyncDisposable, ILogger<PeerTransport>
{
    private static readonly byte[] _secret = Encoding.ASCII.GetBytes("a secret of the cluster");

    private readonly WebApplication _web;
    private readonly CancellationTokenSource _talk = new();
    private int _knocks;
    private Task _talking = Task.CompletedTask;

    private TransportNode(int id, ulong logId, PeerTransportOptions options, int port)
    {
        Id = new(id);
        LogId = logId;
        Transport = new(options with { Self = Id }, this);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls($"http://127.0.0.1:{port}");
        _web = builder.Build();
        _web.UseWebSockets();
        _web.Map(PeerTransport.Route, peers => peers.Run(context =>
        {
            Interlocked.Increment(ref _knocks);
            return Transport.AcceptAsync(context);
        }));
    }

    public NodeId Id { get; }

    public ulong LogId { get; }

    public bool IsJoining { get; set; }

    public Guid ClusterId { get; set; }

    public PeerTransport Transport { get; }

    public Uri Address { get; private set; } = null!;

    /// <summary>Texts of reports that came, with who sent them.</summary>
    public ConcurrentQueue<(NodeId From, string Text)> Heard { get; } = new();

    public ConcurrentQueue<string> Expulsions { get; } = new();

    public ConcurrentQueue<string> Log { get; } = new();

    /// <summary>How often anybody dialled.</summary>
    public int Knocks => Volatile.Read(ref _knocks);

    /// <summary>Small patience, so that tests are quick; a handshake may take its time on a busy machine.</summary>
    public static PeerTransportOptions Options { get; } = new()
    {
        Self = new(0),
        Secret = _secret,
        ReconnectDelayMin = TimeSpan.FromMilliseconds(10),
        ReconnectDelayMax = TimeSpan.FromMilliseconds(50),
        ConnectTimeout = TimeSpan.FromSeconds(20),
        SilenceMax = TimeSpan.FromMinutes(1),
    };

    /// <summary>Serves, and dials nobody yet.</summary>
    public static async Task<TransportNode> CreateAsync(
        int id, bool isJoining = false, ulong? logId = null, PeerTransportOptions? options = null, int port = 0)
    {
        var node = new TransportNode(id, logId ?? (ulong)id + 100, options ?? Options, port) { IsJoining = isJoining };
        await node._web.StartAsync();
        node.Address = new(node._web.Urls.Single());
        node.Transport.Introduce(node.Introduce, (from, message) => node.Heard.Enqueue((from, Encoding.UTF8.GetString(((NodeReport)message).Status.Span))));
        node.Transport.Expelled = node.Expulsions.Enqueue;
        return node;
    }

    /// <summary>Dials the peers that it is given.</summary>
    public static async Task<TransportNode> RunAsync(
        int id, IEnumerable<TransportNode> peers, bool isJoining = false, ulong? logId = null, PeerTransportOptions? options = null)
    {
        var node = await CreateAsync(id, isJoining, logId, options);
        node.SetPeers(peers);
        await node.RunAsync();
        return node;
    }

    public Task RunAsync() => Transport.StartAsync(CancellationToken.None);

    public void SetPeers(IEnumerable<TransportNode> peers, params IEnumerable<TransportNode> removed) =>
        Transport.SetPeers(peers.ToDictionary(p => p.Id, p => new PeerRecord(p.Address, p.LogId)), removed.ToDictionary(p => p.Id, p => p.LogId));

    public bool IsLinkedTo(TransportNode other) => Transport.StateOf(other.Id).IsConnected;

    public string? ProblemWith(TransportNode other) => Transport.StateOf(other.Id).Problem;

    public bool HasGuest(TransportNode other) => Transport.Guests.Contains(other.Id);

    public void Send(TransportNode to, string text) => Transport.Send(to.Id, new NodeReport(0, false, Encoding.UTF8.GetBytes(text)));

    public bool HasHeard(TransportNode from, string text) => Heard.Contains((from.Id, text));

    /// <summary>Waits until both can speak to each other, and have.</summary>
    public async Task TalkWithAsync(TransportNode other)
    {
        await UntilAsync($"{Id} and {other.Id} are linked", () => IsLinkedTo(other) && other.IsLinkedTo(this));
        var text = Guid.NewGuid().ToString();
        await UntilAsync($"{Id} and {other.Id} hear each other", () =>
        {
            Send(other, text);
            other.Send(this, text);
            return HasHeard(other, text) && other.HasHeard(this, text);
        });
    }

    /// <summary>Sends a message every few milliseconds from now on.</summary>
    public void KeepTalkingTo(TransportNode other) => _talking = Task.Run(async () =>
    {
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!_talk.IsCancellationRequested && await timer.WaitForNextTickAsync())
        {
            Send(other, "still here");
        }
    });

    public Task FallSilentAsync()
    {
        _talk.Cancel();
        return _talking;
    }

    public static async Task UntilAsync(string condition, Func<bool> isTrue)
    {
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!isTrue())
        {
            if (deadline.IsCancellationRequested)
            {
                throw new TimeoutException($"Not within a minute: {condition}.");
            }

            await Task.Delay(5);
        }
    }

    /// <summary>The process is gone, and its port free.</summary>
    public async ValueTask DisposeAsync()
    {
        await FallSilentAsync();
        await Transport.StopAsync(CancellationToken.None);
        Transport.EndIncomingLinks();
        await _web.StopAsync();
        await _web.DisposeAsync();
        Transport.Dispose();
        _talk.Dispose();
    }

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Log.Enqueue(formatter(state, exception));

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    private PeerIdentity Introduce() => new()
    {
        Node = Id.Value,
        LogId = LogId,
        HasHistory = !IsJoining,
        Address = Address.GetLeftPart(UriPartial.Authority),
        IsJoining = IsJoining,
        ClusterSize = 3,
        ClusterId = ClusterId,
        SqliteFingerprint = "3.40.1",
        Version = "1",
    };
}
