using System.Net;
using System.Net.Sockets;
using DistDb.Node.Raft;
using DistDb.Node.Replication;
using DistDb.Node.Tls;
using Microsoft.Net.Http.Headers;

namespace DistDb.Node.Api.Hrana;

/// <summary>
/// Hands a request on to the node that holds its stream or transaction, with the client's own credentials, which are judged there again. Its clients reach every node, perhaps by way of one address
/// for all of them, and need not know who holds what.
/// </summary>
/// <param name="node">Knows the members' addresses.</param>
/// <param name="tls">Which certificates are trusted.</param>
internal sealed class OwnerProxy(ClusterNode node, TlsStore tls) : IDisposable
{
    /// <summary>What the owner's answer says beside its body.</summary>
    private static readonly string[] _passedOn = [AnswerHeaders.Index, AnswerHeaders.Node, HeaderNames.RetryAfter];

    private readonly NodeHttpClient _http = new(tls);

    /// <summary>Whether the request must be answered elsewhere; it then was.</summary>
    /// <param name="context">The request, whose body was read.</param>
    /// <param name="owner">Who holds what it is about.</param>
    /// <param name="body">Its body.</param>
    /// <param name="lost">What to answer where that node cannot be reached.</param>
    public async Task<bool> TryHandOnAsync(HttpContext context, NodeId owner, ReadOnlyMemory<byte> body, Func<string, Task> lost)
    {
        if (owner == node.Id)
        {
            return false;
        }

        if (node.AddressOf(owner) is not { Length: > 0 } address)
        {
            await lost($"Node {owner}, which held it, is not a member of the cluster any more.").ConfigureAwait(false);
            return true;
        }

        using var request = new HttpRequestMessage(new(context.Request.Method), address + context.Request.Path + context.Request.QueryString)
        {
            Content = new ReadOnlyMemoryContent(body),
            Version = HttpVersion.Version11,
        };
        if (context.Request.Headers.Authorization is [{ } authorization])
        {
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        }

        HttpResponseMessage response;
        try
        {
            response = await _http.Current.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, context.RequestAborted).ConfigureAwait(false);
        }
        catch (Exception e) when (e is HttpRequestException or SocketException)
        {
            // The latter where that node ends in the moment after the connection was made.
            await lost($"Node {owner}, which holds it, cannot be reached ({e.Message}).").ConfigureAwait(false);
            return true;
        }

        using (response)
        {
            context.Response.StatusCode = (int)response.StatusCode;
            context.Response.ContentType = response.Content.Headers.ContentType?.ToString();
            foreach (var name in _passedOn)
            {
                if (response.Headers.TryGetValues(name, out var values))
                {
                    context.Response.Headers[name] = values.ToArray();
                }
            }

            await response.Content.CopyToAsync(context.Response.Body, context.RequestAborted).ConfigureAwait(false);
        }

        return true;
    }

    public void Dispose() => _http.Dispose();
}
