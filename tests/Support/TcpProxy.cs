using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace DistDb.Tests.Support;

/// <summary>
/// A port of the loopback that leads to another one, with whatever trouble a test gives the link in between. Several troubles may overlap;
/// each ends when it is disposed of.
/// </summary>
internal sealed class TcpProxy : IAsyncDisposable
{
    private const int ChunkBytes = 64 << 10;
    private const int ChunksMax = 64;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<long, Connection> _connections = [];
    private readonly Lock _lock = new();
    private readonly Task _running;
    private ImmutableList<LinkTrouble> _troubles = [];
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _nextConnection;

    public TcpProxy()
    {
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _running = Task.Run(AcceptAllAsync);
    }

    public int Port { get; }

    /// <summary>How many replies were lost.</summary>
    public int LostReplyCount { get; private set; }

    /// <summary>Where it leads; nowhere until that is set.</summary>
    public IPEndPoint? Target { get; set; }

    /// <summary>Begins a trouble.</summary>
    /// <returns>What ends it.</returns>
    public IDisposable Begin(LinkTrouble trouble)
    {
        Change(troubles => troubles.Add(trouble));
        if (trouble is LinkTrouble.Cut)
        {
            foreach (var connection in _connections.Values)
            {
                connection.Abort();
            }
        }

        return new Trouble(() => Change(troubles => troubles.RemoveAll(t => ReferenceEquals(t, trouble))));
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        foreach (var connection in _connections.Values)
        {
            connection.Abort();
        }

        await _running;
        _stop.Dispose();
    }

    private void Change(Func<ImmutableList<LinkTrouble>, ImmutableList<LinkTrouble>> change)
    {
        TaskCompletionSource changed;
        lock (_lock)
        {
            _troubles = change(_troubles);
            changed = _changed;
            _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        changed.SetResult();
    }

    private bool LosesReply(Connection connection)
    {
        lock (_lock)
        {
            // What is left of an answer to something asked before is not the next reply.
            var next = _troubles.OfType<LinkTrouble.LosesNextReply>().FirstOrDefault(t => ReferenceEquals(t, connection.LosesReplyTo));
            var isLost = next is not null || Has<LinkTrouble.LosesReplies>();
            _troubles = next is null ? _troubles : _troubles.RemoveAll(t => ReferenceEquals(t, next));
            LostReplyCount += isLost ? 1 : 0;
            return isLost;
        }
    }

    private bool Has<T>() => Volatile.Read(ref _troubles).OfType<T>().Any();

    private async Task AcceptAllAsync()
    {
        var serving = new ConcurrentDictionary<long, Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                var number = _nextConnection++;
                var ended = new TaskCompletionSource();
                serving[number] = ended.Task;
                _ = Task.Run(async () =>
                {
                    await ServeAsync(client, number);
                    serving.TryRemove(number, out _);
                    ended.SetResult();
                });
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The proxy is disposed of.
        }

        await Task.WhenAll(serving.Values);
    }

    private async Task ServeAsync(Socket client, long number)
    {
        using var connection = new Connection(client);
        _connections[number] = connection;
        try
        {
            await PassableAsync(connection.Aborted);
            if (Has<LinkTrouble.Cut>() || Target is not { } target)
            {
                return;
            }

            await connection.Server.ConnectAsync(target, connection.Aborted);
            connection.Client.NoDelay = connection.Server.NoDelay = true;
            await Task.WhenAll(
                PumpAsync(connection, connection.Client, connection.Server, isReply: false),
                PumpAsync(connection, connection.Server, connection.Client, isReply: true));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Nobody listens at the target, or the connection was broken.
        }
        finally
        {
            _connections.TryRemove(number, out _);
            connection.Abort();
        }
    }

    /// <summary>Carries bytes in one direction until its sender has ended.</summary>
    private async Task PumpAsync(Connection connection, Socket from, Socket to, bool isReply)
    {
        var chunks = Channel.CreateBounded<(long Arrived, byte[] Bytes)>(ChunksMax);
        var sending = SendAllAsync(connection, chunks.Reader, to);
        try
        {
            var buffer = new byte[ChunkBytes];
            while (await from.ReceiveAsync(buffer, connection.Aborted) is > 0 and var count)
            {
                if (!isReply)
                {
                    connection.LosesReplyTo = Volatile.Read(ref _troubles).OfType<LinkTrouble.LosesNextReply>().FirstOrDefault();
                }
                else if (LosesReply(connection))
                {
                    connection.Abort();
                    return;
                }

                await chunks.Writer.WriteAsync((Stopwatch.GetTimestamp(), buffer[..count]), connection.Aborted);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            connection.Abort();
        }
        finally
        {
            chunks.Writer.Complete();
            await sending;
        }
    }

    private async Task SendAllAsync(Connection connection, ChannelReader<(long Arrived, byte[] Bytes)> chunks, Socket to)
    {
        try
        {
            await foreach (var (arrived, bytes) in chunks.ReadAllAsync(connection.Aborted))
            {
                foreach (var slow in Volatile.Read(ref _troubles).OfType<LinkTrouble.Slow>())
                {
                    var wait = slow.Delay - Stopwatch.GetElapsedTime(arrived);
                    await Task.Delay(wait > TimeSpan.Zero ? wait : TimeSpan.Zero, connection.Aborted);
                    await Task.Delay(TimeSpan.FromSeconds((double)bytes.Length / slow.BytesPerSecond), connection.Aborted);
                }

                await PassableAsync(connection.Aborted);
                for (var sent = 0; sent < bytes.Length;)
                {
                    sent += await to.SendAsync(bytes.AsMemory(sent), connection.Aborted);
                }
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            connection.Abort();
        }
    }

    private async Task PassableAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task changed;
            lock (_lock)
            {
                if (!_troubles.OfType<LinkTrouble.Stalled>().Any())
                {
                    return;
                }

                changed = _changed.Task;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    private sealed class Trouble(Action end) : IDisposable
    {
        public void Dispose() => end();
    }

    private sealed class Connection(Socket client) : IDisposable
    {
        private readonly CancellationTokenSource _aborted = new();
        private readonly Lock _lock = new();
        private bool _isDisposed;

        public Socket Client { get; } = client;

        public Socket Server { get; } = new(SocketType.Stream, ProtocolType.Tcp);

        public CancellationToken Aborted => _aborted.Token;

        /// <summary>The trouble that began before the newest bytes of a request came.</summary>
        public volatile LinkTrouble.LosesNextReply? LosesReplyTo;

        /// <summary>Breaks both ends, as a reset does.</summary>
        public void Abort()
        {
            lock (_lock)
            {
                if (!_isDisposed)
                {
                    _aborted.Cancel();
                    Client.Close(0);
                    Server.Close(0);
                }
            }
        }

        public void Dispose()
        {
            lock (_lock)
            {
                _isDisposed = true;
                Client.Dispose();
                Server.Dispose();
                _aborted.Dispose();
            }
        }
    }
}
