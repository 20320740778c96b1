using DistDb.Node.Commands;
using DistDb.Node.Replication;
using Microsoft.AspNetCore.Http.HttpResults;

namespace DistDb.Node.Api;

/// <summary><c>GET /status</c>, <c>GET /cluster</c>, <c>GET /health/live</c>, <c>GET /health/ready</c>.</summary>
internal static class StatusEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/status", Status).Needs(TokenRole.Read);
        routes.MapGet("/cluster", Cluster).Needs(TokenRole.Read);
        routes.MapGet("/health/live", Live).IsOpenToAll();
        routes.MapGet("/health/ready", Ready).IsOpenToAll();
    }

    private static JsonHttpResult<NodeStatus> Status(StatusBuilder status) =>
        TypedResults.Json(status.Node(), ApiJsonContext.Default.NodeStatus);

    private static JsonHttpResult<ClusterStatus> Cluster(StatusBuilder status) =>
        TypedResults.Json(status.Cluster(), ApiJsonContext.Default.ClusterStatus);

    private static JsonHttpResult<HealthStatus> Live() =>
        TypedResults.Json(new HealthStatus("live"), ApiJsonContext.Default.HealthStatus);

    /// <summary>Why it is not ready is told only to those who may read.</summary>
    private static JsonHttpResult<HealthStatus> Ready(HttpContext context, ClusterNode node, AccessControl door) => node.IsReady && door.Mode is AccessMode.Open or AccessMode.ByToken
        ? TypedResults.Json(new HealthStatus("ready"), ApiJsonContext.Default.HealthStatus)
        : TypedResults.Json(
            node.Repair is not { } repair ? new HealthStatus("not_ready")
                : new HealthStatus("repairing", context.Features.Get<ClientAccess>() is null ? null : $"{repair.Reason} {repair.Step}"),
            ApiJsonContext.Default.HealthStatus,
            statusCode: StatusCodes.Status503ServiceUnavailable);
}
