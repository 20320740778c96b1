using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary><c>GET /events</c>: the cluster as server-sent events, for those who watch.</summary>
internal static class EventsEndpoint
{
    public const string ContentType = "text/event-stream";

    private static readonly byte[] _before = "event: cluster\ndata: "u8.ToArray();
    private static readonly byte[] _after = "\n\n"u8.ToArray();

    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/events", ListenAsync).Needs(TokenRole.Read);

    private static async Task ListenAsync(HttpContext context, ClusterFeed feed, AccessControl door, IHostApplicationLifetime lifetime)
    {
        var response = context.Response;
        response.ContentType = ContentType;
        response.Headers.CacheControl = "no-store";

        // A stream never ends by itself, and a node that stops waits for its requests.
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            await foreach (var picture in feed.ListenAsync(end.Token).ConfigureAwait(false))
            {
                // A token may expire or be revoked while its owner listens.
                if (door.Judge(context.Request, TokenRole.Read).Access is null)
                {
                    break;
                }

                await response.Body.WriteAsync(_before, end.Token).ConfigureAwait(false);
                await response.Body.WriteAsync(picture, end.Token).ConfigureAwait(false);
                await response.Body.WriteAsync(_after, end.Token).ConfigureAwait(false);
                await response.Body.FlushAsync(end.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            // The listener has gone, or the node stops.
        }
    }
}
