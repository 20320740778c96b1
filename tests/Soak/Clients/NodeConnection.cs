using System.Buffers.Text;
using System.Net;
using System.Net.Sockets;
using System.Text;
using DistDb.Tests.Support;

namespace DistDb.Tests.Soak.Clients;

/// <summary>
/// A keep-alive HTTP/1.1 connection with one request under way at a time. It sends each request once and knows whether it did: HTTP clients
/// that send again by themselves would make doubled writes look like the cluster's.
/// </summary>
internal sealed class NodeConnection(int port) : IDisposable
{
    private static readonly TimeSpan _connectTimeout = TimeSpan.FromSeconds(1);

    private Socket? _socket;
    private byte[] _buffer = new byte[4096];

    /// <summary>Posts a body to <c>/query</c>.</summary>
    /// <param name="body">JSON.</param>
    /// <param name="limit">When to give up waiting.</param>
    public async Task<Reply> PostAsync(byte[] body, TimeSpan limit)
    {
        if (!await ConnectAsync())
        {
            return new(false, null);
        }

        using var timeout = new CancellationTokenSource(limit);
        try
        {
            var head = $"POST /query HTTP/1.1\r\nHost: localhost\r\nContent-Length: {body.Length}\r\n\r\n";
            await SendAsync([.. Encoding.ASCII.GetBytes(head), .. body], timeout.Token);
            return new(true, await ReceiveAsync(timeout.Token));
        }
        catch (Exception e) when (e is SocketException or IOException or OperationCanceledException)
        {
            Close();
            return new(true, null);
        }
    }

    public void Dispose() => Close();

    private void Close()
    {
        _socket?.Dispose();
        _socket = null;
    }

    private async Task<bool> ConnectAsync()
    {
        // Readable with nothing to read: the other end closed it while it was idle.
        if (_socket is { } idle && (!idle.Poll(0, SelectMode.SelectRead) || idle.Available > 0))
        {
            return true;
        }

        Close();
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using var timeout = new CancellationTokenSource(_connectTimeout);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port, timeout.Token);
            _socket = socket;
            return true;
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException)
        {
            socket.Dispose();
            return false;
        }
    }

    private async Task SendAsync(byte[] bytes, CancellationToken cancellationToken)
    {
        for (var sent = 0; sent < bytes.Length;)
        {
            sent += await _socket!.SendAsync(bytes.AsMemory(sent), cancellationToken);
        }
    }

    private async Task<Answer> ReceiveAsync(CancellationToken cancellationToken)
    {
        var filled = 0;
        while (true)
        {
            if (filled == _buffer.Length)
            {
                Array.Resize(ref _buffer, _buffer.Length * 2);
            }

            var received = await _socket!.ReceiveAsync(_buffer.AsMemory(filled), cancellationToken);
            if (received == 0)
            {
                throw new IOException("The connection was closed.");
            }

            filled += received;
            if (TryParse(_buffer.AsSpan(0, filled)) is { } answer)
            {
                return answer;
            }
        }
    }

    /// <summary>Null until the answer is whole.</summary>
    private static Answer? TryParse(ReadOnlySpan<byte> bytes)
    {
        var headEnd = bytes.IndexOf("\r\n\r\n"u8);
        if (headEnd < 0)
        {
            return null;
        }

        var head = Encoding.ASCII.GetString(bytes[..headEnd]).Split("\r\n");
        var fields = head.Skip(1).Select(line => line.Split(": ", 2)).ToDictionary(f => f[0], f => f[1], StringComparer.OrdinalIgnoreCase);
        var body = bytes[(headEnd + 4)..];
        string? text;
        if (fields.TryGetValue("Content-Length", out var length))
        {
            var count = int.Parse(length, null);
            text = body.Length < count ? null : Encoding.UTF8.GetString(body[..count]);
        }
        else
        {
            text = JoinChunks(body);
        }

        // "HTTP/1.1 200 OK"
        return text is null ? null : new(int.Parse(head[0].AsSpan(9, 3), null), fields.GetValueOrDefault("Content-Type")?.Split(';')[0], text);
    }

    /// <summary>Each chunk: its length in hexadecimal, CR LF, that many bytes, CR LF. The last one is empty.</summary>
    private static string? JoinChunks(ReadOnlySpan<byte> body)
    {
        var bytes = new List<byte>(body.Length);
        while (Utf8Parser.TryParse(body, out int length, out var digits, 'x') && body.Length >= digits + 2 + length + 2)
        {
            if (length == 0)
            {
                return Encoding.UTF8.GetString([.. bytes]);
            }

            bytes.AddRange(body.Slice(digits + 2, length));
            body = body[(digits + 2 + length + 2)..];
        }

        return null;
    }
}
