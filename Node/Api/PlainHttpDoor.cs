using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using DistDb.Node.Commands;
using DistDb.Node.Tls;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Mvc;

namespace DistDb.Node.Api;

/// <summary>Stands before TLS on a node's port, and tells whoever speaks plain http there so, where TLS alone would close the connection without a word.</summary>
internal static class PlainHttpDoor
{
    /// <summary>As long as the TLS handshake may take that follows.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    private static readonly byte[] _answer = CreateAnswer();

    /// <summary>Lets TLS pass to <paramref name="next"/>.</summary>
    public static ConnectionDelegate Guard(ConnectionDelegate next) => async connection =>
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(connection.ConnectionClosed);
        patience.CancelAfter(_patience);
        try
        {
            if (await SpeaksHttpAsync(connection.Transport.Input, patience.Token).ConfigureAwait(false))
            {
                await connection.Transport.Output.WriteAsync(_answer, patience.Token).ConfigureAwait(false);
                await DrainAsync(connection.Transport, patience.Token).ConfigureAwait(false);
                return;
            }
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // Whoever it was is gone, or has said nothing for too long.
            return;
        }

        await next(connection).ConfigureAwait(false);
    };

    /// <summary>A method's name begins with a letter; a record of TLS begins with 22. What has been read is left for whoever is next.</summary>
    private static async Task<bool> SpeaksHttpAsync(PipeReader input, CancellationToken cancellationToken)
    {
        var read = await input.ReadAsync(cancellationToken).ConfigureAwait(false);
        var isHttp = !read.Buffer.IsEmpty && char.IsAsciiLetter((char)read.Buffer.FirstSpan[0]);
        input.AdvanceTo(read.Buffer.Start);
        return isHttp;
    }

    /// <summary>Reads on until the client has closed: what arrives at a closed socket would take the answer away from it.</summary>
    private static async Task DrainAsync(IDuplexPipe transport, CancellationToken cancellationToken)
    {
        await transport.Output.CompleteAsync().ConfigureAwait(false);
        ReadResult read;
        do
        {
            read = await transport.Input.ReadAsync(cancellationToken).ConfigureAwait(false);
            transport.Input.AdvanceTo(read.Buffer.End);
        }
        while (!read.IsCompleted);
    }

    private static byte[] CreateAnswer()
    {
        var (code, status, title) = Problem.Of(FailureCode.BadRequest);
        var problem = new ProblemDetails
        {
            Type = Problem.TypeOf(code),
            Title = title,
            Status = status,
            Detail = "This port speaks TLS: use https:// in place of http://. Where its certificate is of a CA of your own, name that to curl with --cacert, to the distdb tools with --ca or DISTDB_CA. Nothing was done.",
            Extensions = { ["code"] = code },
        };
        var body = JsonSerializer.Serialize(problem, ApiJsonContext.Default.ProblemDetails);
        return Encoding.UTF8.GetBytes(
            $"HTTP/1.1 {status} Bad Request\r\nConnection: close, Upgrade\r\nUpgrade: {TlsFailure.UpgradeHeader}\r\nContent-Type: application/problem+json\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}");
    }
}
