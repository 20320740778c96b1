using System.Net;
using System.Net.Sockets;
using DistDb.Tests.Support;

namespace DistDb.Tests.Data;

/// <summary>Stands before a node, hands requests on, and loses the next answers where it is told to: the node has done what was asked, and nobody hears of it.</summary>
internal sealed class LostAnswers : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly TestNode _node;
    private readonly Task _accepting;
    private int _toLose;

    public LostAnswers(TestNode node)
    {
        _node = node;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public string Address => $"http://{_listener.LocalEndpoint}";

    /// <summary>How many answers were lost.</summary>
    public int Lost { get; private set; }

    public void LoseNext() => Volatile.Write(ref _toLose, 1);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                serving.Add(ServeAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var _ = client;
        using var node = new TcpClient();
        try
        {
            await node.ConnectAsync(_node.Address.Host, _node.Address.Port, _stop.Token);
            var there = client.GetStream().CopyToAsync(node.GetStream(), _stop.Token);
            var buffer = new byte[64 * 1024];
            while (await node.GetStream().ReadAsync(buffer, _stop.Token) is > 0 and var count)
            {
                if (Interlocked.Exchange(ref _toLose, 0) == 1)
                {
                    Lost++;
                    return;
                }

                await client.GetStream().WriteAsync(buffer.AsMemory(0, count), _stop.Token);
            }

            await there;
        }
        catch (Exception e) when (e is OperationCanceledException or IOException or SocketException)
        {
            // The connection's end, whosever.
        }
    }
}
