using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Mvc;

namespace DistDb.Node.Api;

/// <summary>The JSON of everything but query results: names in snake_case.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, AllowDuplicateProperties = false)]
[JsonSerializable(typeof(NodeStatus))]
[JsonSerializable(typeof(ClusterStatus))]
[JsonSerializable(typeof(HealthStatus))]
[JsonSerializable(typeof(LogLevelRequest))]
[JsonSerializable(typeof(LogLevelAnswer))]
[JsonSerializable(typeof(PromoteRequest))]
[JsonSerializable(typeof(PromoteAnswer))]
[JsonSerializable(typeof(MemberRequest))]
[JsonSerializable(typeof(MembersAnswer))]
[JsonSerializable(typeof(VerifyRequest))]
[JsonSerializable(typeof(VerificationStatus))]
[JsonSerializable(typeof(DatabasesAnswer))]
[JsonSerializable(typeof(TokenRequest))]
[JsonSerializable(typeof(NewTokenAnswer))]
[JsonSerializable(typeof(TokensAnswer))]
[JsonSerializable(typeof(RevokedTokenAnswer))]
[JsonSerializable(typeof(AccessAnswer))]
[JsonSerializable(typeof(RestoreAnswer))]
[JsonSerializable(typeof(BeginTransactionRequest))]
[JsonSerializable(typeof(BeginTransactionAnswer))]
[JsonSerializable(typeof(ProblemDetails))]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(int))]
public sealed partial class ApiJsonContext : JsonSerializerContext;

/// <summary>How a node writes its own status, a few times a second and so at each start: without all that would be made for reading one.</summary>
[JsonSourceGenerationOptions(GenerationMode = JsonSourceGenerationMode.Serialization, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(NodeStatus))]
internal sealed partial class NodeStatusJsonContext : JsonSerializerContext;

/// <summary>What <c>GET /health/...</c> answers.</summary>
/// <param name="Status"><c>live</c>, <c>ready</c>, <c>not_ready</c> or <c>repairing</c>.</param>
/// <param name="Detail">Why it is not ready, where there is more to say; else null.</param>
/// <param name="Checks">With <c>?verbose</c>, each thing that it takes.</param>
public sealed record HealthStatus(
    string Status, string? Detail = null, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] IReadOnlyList<HealthCheckStatus>? Checks = null);

/// <summary>One thing that a node's health takes.</summary>
/// <param name="Name">In a word.</param>
/// <param name="Ok">Whether it is as it should be.</param>
/// <param name="Detail">What is not, as a sentence; null where it is.</param>
public sealed record HealthCheckStatus(string Name, bool Ok, string? Detail);
