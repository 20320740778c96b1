using DistDb.Node.Replication;
using Microsoft.AspNetCore.Http.HttpResults;

namespace DistDb.Node.Api;

/// <summary><c>GET /status</c>, <c>GET /cluster</c>, <c>GET /health/live</c>, <c>GET /health/ready</c>.</summary>
internal static class StatusEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/status", Status);
        routes.MapGet("/cluster", Cluster);
        routes.MapGet("/health/live", Live);
        routes.MapGet("/health/ready", Ready);
    }

    private static JsonHttpResult<NodeStatus> Status(StatusBuilder status) =>
        TypedResults.Json(status.Node(), ApiJsonContext.Default.NodeStatus);

    private static JsonHttpResult<ClusterStatus> Cluster(StatusBuilder status) =>
        TypedResults.Json(status.Cluster(), ApiJsonContext.Default.ClusterStatus);

    private static JsonHttpResult<HealthStatus> Live() =>
        TypedResults.Json(new HealthStatus("live"), ApiJsonContext.Default.HealthStatus);

    private static JsonHttpResult<HealthStatus> Ready(ClusterNode node) => node.IsReady
        ? TypedResults.Json(new HealthStatus("ready"), ApiJsonContext.Default.HealthStatus)
        : TypedResults.Json(
            node.Repair is { } repair ? new HealthStatus("repairing", $"{repair.Reason} {repair.Step}") : new HealthStatus("not_ready"),
            ApiJsonContext.Default.HealthStatus,
            statusCode: StatusCodes.Status503ServiceUnavailable);
}
