using DistDb.Node.Commands;
using DistDb.Node.Telemetry;

namespace DistDb.Node.Api;

/// <summary><c>GET /metrics</c>: what this node did and how it is, for Prometheus.</summary>
internal static class MetricsEndpoint
{
    private const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/metrics", Write).Needs(TokenRole.Read);

    /// <param name="store">What was recorded.</param>
    /// <param name="_">Made when it is first needed, it answers the store's questions from then on.</param>
    private static IResult Write(MetricStore store, NodeGauges _) => Results.Text(store.Write(), ContentType);
}
