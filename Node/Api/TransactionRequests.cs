using System.Text.Json.Serialization;

namespace DistDb.Node.Api;

/// <summary>The body of <c>POST /transactions</c>.</summary>
/// <param name="Database">The database; null for <c>main</c>.</param>
/// <param name="Mode"><c>deferred</c>, <c>immediate</c> or <c>read_only</c>; null for <c>deferred</c>.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record BeginTransactionRequest(string? Database = null, string? Mode = null);

/// <summary>What <c>POST /transactions</c> answers.</summary>
/// <param name="Id">What it is called in <c>POST /transactions/{id}</c>, at any node.</param>
/// <param name="Database">The database.</param>
/// <param name="Mode">How it began.</param>
/// <param name="Node">The node that serves it.</param>
/// <param name="IdleMs">It is rolled back if nothing comes for so long.</param>
/// <param name="TimeoutMs">It is rolled back if it lasts longer in all.</param>
public sealed record BeginTransactionAnswer(string Id, string Database, string Mode, int Node, long IdleMs, long TimeoutMs);
