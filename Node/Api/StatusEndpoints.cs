using DistDb.Node.Commands;
using Microsoft.AspNetCore.Http.HttpResults;

namespace DistDb.Node.Api;

/// <summary><c>GET /status</c>, <c>GET /cluster</c>.</summary>
internal static class StatusEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/status", Status).Needs(TokenRole.Read);
        routes.MapGet("/cluster", Cluster).Needs(TokenRole.Read);
    }

    private static FileContentHttpResult Status(StatusBuilder status) => TypedResults.Bytes(status.WriteNode(), "application/json; charset=utf-8");

    private static JsonHttpResult<ClusterStatus> Cluster(StatusBuilder status) =>
        TypedResults.Json(status.Cluster(), ApiJsonContext.Default.ClusterStatus);
}
