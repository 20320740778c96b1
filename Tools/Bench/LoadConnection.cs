using System.Buffers.Text;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using DistDb.Node.Tls;

namespace DistDb.Tools.Bench;

/// <summary>
/// One keep-alive HTTP/1.1 connection with one request under way at a time. The load shares its cores with the servers that it measures,
/// so requests are bytes made beforehand and answers are only looked through for their end.
/// </summary>
/// <param name="node">Where to.</param>
/// <param name="trust">By which CAs to judge the node's certificate; null for those that the operating system trusts.</param>
internal sealed class LoadConnection(Uri node, CertificateTrust? trust = null) : IDisposable
{
    private readonly Socket _socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private Stream? _stream;
    private byte[] _buffer = new byte[4096];
    private int _filled;

    /// <summary>The last answer, head and body.</summary>
    public string LastAnswer => Encoding.UTF8.GetString(_buffer, 0, _filled);

    /// <summary>A request as it goes over the wire.</summary>
    public static byte[] Request(string method, string path, ReadOnlySpan<byte> body, string? token = null)
    {
        var authorization = token is null ? "" : $"Authorization: Bearer {token}\r\n";
        var head = body.IsEmpty
            ? $"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{authorization}\r\n"
            : $"{method} {path} HTTP/1.1\r\nHost: localhost\r\n{authorization}Content-Type: application/json\r\nContent-Length: {body.Length}\r\n\r\n";
        return [.. Encoding.ASCII.GetBytes(head), .. body];
    }

    /// <exception cref="SocketException">Nobody answers there.</exception>
    /// <exception cref="IOException">The connection broke.</exception>
    /// <exception cref="AuthenticationException">The node's certificate is not good.</exception>
    public async Task ConnectAsync(CancellationToken cancellation)
    {
        await _socket.ConnectAsync(node.DnsSafeHost, node.Port, cancellation).ConfigureAwait(false);
        _stream = new NetworkStream(_socket, ownsSocket: false);
        if (node.Scheme == Uri.UriSchemeHttps)
        {
            var tls = new SslStream(_stream);
            _stream = tls;
            var options = (trust ?? CertificateTrust.OfSystem).CreateClientOptions();
            options.TargetHost = node.DnsSafeHost;
            await tls.AuthenticateAsClientAsync(options, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>Sends a request and waits for the whole answer.</summary>
    /// <returns>The HTTP status.</returns>
    /// <exception cref="IOException">The connection broke, or the node closed it.</exception>
    public async ValueTask<int> SendAsync(ReadOnlyMemory<byte> request, CancellationToken cancellation)
    {
        await _stream!.WriteAsync(request, cancellation).ConfigureAwait(false);
        _filled = 0;
        do
        {
            if (_filled == _buffer.Length)
            {
                Array.Resize(ref _buffer, _buffer.Length * 2);
            }

            var received = await _stream.ReadAsync(_buffer.AsMemory(_filled), cancellation).ConfigureAwait(false);
            if (received == 0)
            {
                throw new IOException($"{node.Authority} closed the connection.");
            }

            _filled += received;
        }
        while (!IsWhole(_buffer.AsSpan(0, _filled)));

        // "HTTP/1.1 200 OK"
        return Utf8Parser.TryParse(_buffer.AsSpan(9, 3), out int status, out _) ? status : throw new IOException("No HTTP status came back.");
    }

    public void Dispose()
    {
        _stream?.Dispose();
        _socket.Dispose();
    }

    private static bool IsWhole(ReadOnlySpan<byte> answer)
    {
        var headEnd = answer.IndexOf("\r\n\r\n"u8);
        if (headEnd < 0)
        {
            return false;
        }

        var head = answer[..(headEnd + 2)];
        var body = answer[(headEnd + 4)..];
        var at = head.IndexOf("\r\nContent-Length: "u8);
        if (at >= 0)
        {
            return Utf8Parser.TryParse(head[(at + 18)..], out int length, out _) && body.Length >= length;
        }

        return head.IndexOf("\r\nTransfer-Encoding: chunked"u8) < 0 || EndsWithLastChunk(body);
    }

    private static bool EndsWithLastChunk(ReadOnlySpan<byte> body)
    {
        // Each chunk: its length in hexadecimal, CR LF, that many bytes, CR LF. The last one is empty.
        while (Utf8Parser.TryParse(body, out int length, out var digits, 'x'))
        {
            var next = digits + 2 + length + 2;
            if (body.Length < next)
            {
                return false;
            }

            if (length == 0)
            {
                return true;
            }

            body = body[next..];
        }

        return false;
    }
}
