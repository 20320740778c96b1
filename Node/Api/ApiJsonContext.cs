using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Mvc;

namespace DistDb.Node.Api;

/// <summary>The JSON of everything but query results: names in snake_case.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(NodeStatus))]
[JsonSerializable(typeof(ClusterStatus))]
[JsonSerializable(typeof(HealthStatus))]
[JsonSerializable(typeof(PromoteRequest))]
[JsonSerializable(typeof(PromoteAnswer))]
[JsonSerializable(typeof(MemberRequest))]
[JsonSerializable(typeof(MembersAnswer))]
[JsonSerializable(typeof(ProblemDetails))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(int))]
public sealed partial class ApiJsonContext : JsonSerializerContext;

/// <summary>What <c>GET /health/...</c> answers.</summary>
/// <param name="Status"><c>live</c>, <c>ready</c> or <c>not_ready</c>.</param>
public sealed record HealthStatus(string Status);
