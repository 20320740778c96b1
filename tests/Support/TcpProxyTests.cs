using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace DistDb.Tests.Support;

/// <summary>The troubles that tests give to links are what they are called.</summary>
public sealed class TcpProxyTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    private readonly TcpListener _echo = new(IPAddress.Loopback, 0);
    private readonly TcpProxy _proxy = new();
    private readonly CancellationTokenSource _timeout = new(_patience);
    private Task _echoing = Task.CompletedTask;
    private int _bytesSeen;

    public Task InitializeAsync()
    {
        _echo.Start();
        _proxy.Target = (IPEndPoint)_echo.LocalEndpoint;
        _echoing = Task.Run(EchoAsync);
        return Task.CompletedTask;
    }

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        _echo.Dispose();
        await _echoing;
    }

    public void Dispose()
    {
        _timeout.Dispose();
        _echo.Dispose();
    }

    [Fact]
    public async Task Bytes_pass_both_ways()
    {
        using var client = await ConnectAsync();
        (await AskAsync(client, 200_000)).Should().Be(200_000);
    }

    [Fact]
    public async Task A_cut_breaks_connections_and_lets_none_come_about_until_it_ends()
    {
        using var client = await ConnectAsync();
        (await AskAsync(client, 1)).Should().Be(1);
        using (_proxy.Begin(new LinkTrouble.Cut()))
        {
            (await AskAsync(client, 1)).Should().Be(0);
            await FluentActions.Awaiting(async () =>
            {
                // Broken while it connects, or just after.
                using var second = await ConnectAsync();
                if (await AskAsync(second, 1) == 0)
                {
                    throw new SocketException((int)SocketError.ConnectionReset);
                }
            }).Should().ThrowAsync<SocketException>();
        }

        using var third = await ConnectAsync();
        (await AskAsync(third, 1)).Should().Be(1);
    }

    [Fact]
    public async Task What_was_sent_during_a_stall_arrives_after_it()
    {
        using var client = await ConnectAsync();
        (await AskAsync(client, 1)).Should().Be(1);
        var stall = _proxy.Begin(new LinkTrouble.Stalled());
        var asking = AskAsync(client, 1);
        using var second = await ConnectAsync();
        var askingToo = AskAsync(second, 1);
        (await Task.WhenAny(asking, askingToo, Task.Delay(200))).Should().NotBe(asking).And.NotBe(askingToo);
        stall.Dispose();
        (await asking).Should().Be(1);
        (await askingToo).Should().Be(1);
    }

    [Fact]
    public async Task A_lost_reply_breaks_the_connection_after_the_request_arrived()
    {
        using var client = await ConnectAsync();
        using (_proxy.Begin(new LinkTrouble.LosesReplies()))
        {
            (await AskAsync(client, 1)).Should().Be(0);
        }

        Volatile.Read(ref _bytesSeen).Should().Be(1);
    }

    [Fact]
    public async Task One_lost_reply_is_the_only_one()
    {
        using var first = await ConnectAsync();
        _proxy.Begin(new LinkTrouble.LosesNextReply());
        (await AskAsync(first, 1)).Should().Be(0);
        using var second = await ConnectAsync();
        (await AskAsync(second, 1)).Should().Be(1);
        _proxy.LostReplyCount.Should().Be(1);
    }

    [Fact]
    public async Task A_slow_link_takes_its_time()
    {
        using var client = await ConnectAsync();
        using var slow = _proxy.Begin(new LinkTrouble.Slow(TimeSpan.FromMilliseconds(100), 1_000_000));
        var started = Stopwatch.GetTimestamp();
        (await AskAsync(client, 100_000)).Should().Be(100_000);
        Stopwatch.GetElapsedTime(started).Should().BeGreaterThan(TimeSpan.FromMilliseconds(300), "two delays, and a tenth of a second there and one back");
    }

    private async Task<Socket> ConnectAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, _proxy.Port, _timeout.Token);
        return socket;
    }

    /// <summary>Sends so many bytes and counts how many come back before the connection ends.</summary>
    private async Task<int> AskAsync(Socket socket, int count)
    {
        var received = 0;
        try
        {
            var sending = socket.SendAsync(new byte[count], _timeout.Token);
            var buffer = new byte[4096];
            while (received < count && await socket.ReceiveAsync(buffer, _timeout.Token) is > 0 and var more)
            {
                received += more;
            }

            await sending;
        }
        catch (SocketException)
        {
            // Broken: what came is what counts.
        }

        return received;
    }

    private async Task EchoAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _echo.AcceptSocketAsync();
                _ = Task.Run(async () =>
                {
                    using (socket)
                    {
                        await EchoAsync(socket);
                    }
                });
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private async Task EchoAsync(Socket socket)
    {
        try
        {
            var buffer = new byte[4096];
            while (await socket.ReceiveAsync(buffer) is > 0 and var count)
            {
                Interlocked.Add(ref _bytesSeen, count);
                await socket.SendAsync(buffer.AsMemory(0, count));
            }
        }
        catch (SocketException)
        {
            // The other end broke it.
        }
    }
}
