using DistDb.Node.Replication;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace DistDb.Node.Api;

/// <summary>
/// <c>GET /health/live</c>: the process answers. <c>GET /health/ready</c>: this node serves; <c>?verbose</c> says each thing that takes, to those who may read.
/// </summary>
internal static class HealthEndpoints
{
    private const string Ready = "ready";
    private const string Live = "live";

    /// <summary>The checks, by their names in <c>?verbose</c>.</summary>
    public static void AddChecks(IServiceCollection services)
    {
        var checks = services.AddHealthChecks();
        foreach (var aspect in Enum.GetValues<ReadinessAspect>())
        {
            checks.AddTypeActivatedCheck<ReadinessHealthCheck>(aspect.ToString().ToLowerInvariant(), failureStatus: null, [Ready], aspect);
        }

        checks.AddCheck<AccessHealthCheck>("tokens", tags: [Ready]);
    }

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", (HttpContext context, HealthCheckService checks, ClusterNode node) => AnswerAsync(Live, context, checks, node)).IsOpenToAll();
        routes.MapGet("/health/ready", (HttpContext context, HealthCheckService checks, ClusterNode node) => AnswerAsync(Ready, context, checks, node)).IsOpenToAll();
    }

    private static async Task<IResult> AnswerAsync(string what, HttpContext context, HealthCheckService checks, ClusterNode node)
    {
        var report = await checks.CheckHealthAsync(c => c.Tags.Contains(what), context.RequestAborted).ConfigureAwait(false);
        var isGood = report.Status == HealthStatusOf.Good;

        // Why it is not ready is told only to those who may read.
        var mayKnow = context.Features.Get<ClientAccess>() is not null;
        var problems = report.Entries.Values.Select(e => e.Description).OfType<string>().ToList();
        return Results.Json(
            new HealthStatus(
                isGood ? what : node.Repair is not null ? "repairing" : "not_ready",
                mayKnow && problems.Count > 0 ? string.Join(' ', problems) : null,
                mayKnow && context.Request.Query.ContainsKey("verbose")
                    ? [.. report.Entries.Select(e => new HealthCheckStatus(e.Key, e.Value.Status == HealthStatusOf.Good, e.Value.Description))]
                    : null),
            ApiJsonContext.Default.HealthStatus,
            statusCode: isGood ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    /// <summary>ASP.NET Core's word has the name of our answer.</summary>
    private static class HealthStatusOf
    {
        public const Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus Good = Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy;
    }
}
