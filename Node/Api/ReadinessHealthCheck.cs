using DistDb.Node.Replication;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace DistDb.Node.Api;

/// <summary>One thing that must be as it should be for this node to serve.</summary>
/// <param name="node">The node.</param>
/// <param name="aspect">Which.</param>
internal sealed class ReadinessHealthCheck(ClusterNode node, ReadinessAspect aspect) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(node.ProblemWith(aspect) is { } problem ? HealthCheckResult.Unhealthy(problem) : HealthCheckResult.Healthy());
}

/// <summary>This node knows whom to let in.</summary>
/// <param name="door">Lets them in.</param>
internal sealed class AccessHealthCheck(AccessControl door) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(door.Mode is AccessMode.Open or AccessMode.ByToken
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy("This node has yet to learn from the cluster which tokens there are."));
}
