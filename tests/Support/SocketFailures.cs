using System.Net.Sockets;

namespace DistDb.Tests.Support;

/// <summary>
/// Has requests that fail by their socket fail in one way. HttpClient throws a bare <see cref="SocketException"/> where the other end goes in the moment
/// after the connection was made.
/// </summary>
internal sealed class SocketFailures(HttpMessageHandler inner) : DelegatingHandler(inner)
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            return await base.SendAsync(request, cancellationToken);
        }
        catch (SocketException e)
        {
            throw new HttpRequestException(e.Message, e);
        }
    }
}
