using System.Text.Json.Serialization;

namespace DistDb.Node.Api;

/// <summary>The body of <c>POST /tokens</c>.</summary>
/// <param name="Name">What the token is to be called: 1 to 64 letters, digits, <c>_</c>, <c>-</c>, <c>.</c> and <c>@</c>, beginning with a letter or digit.</param>
/// <param name="Role"><c>read</c>, <c>write</c>, <c>schema</c> or <c>admin</c>.</param>
/// <param name="Databases">The databases that it is good for; null for all. Not for <c>admin</c>, which is the whole cluster's.</param>
/// <param name="ExpiresInS">Seconds until it expires, from 1 to 3,153,600,000 (a hundred years); null for never.</param>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record TokenRequest(string Name, string Role, IReadOnlyList<string>? Databases = null, long? ExpiresInS = null);

/// <summary>What <c>POST /tokens</c> and <c>POST /tokens/init</c> answer.</summary>
/// <param name="Token">The token. Nobody can show it again.</param>
/// <param name="Name">What it is called.</param>
public sealed record NewTokenAnswer(string Token, string Name);

/// <summary>What <c>GET /tokens</c> answers.</summary>
/// <param name="Tokens">All tokens, by name.</param>
public sealed record TokensAnswer(IReadOnlyList<TokenAnswer> Tokens);

/// <summary>A token, as far as it can be shown.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Role"><c>read</c>, <c>write</c>, <c>schema</c> or <c>admin</c>.</param>
/// <param name="Databases">The databases that it is good for; null for all.</param>
/// <param name="Created">When it was made.</param>
/// <param name="Expires">When it expires; null for never.</param>
/// <param name="Expired">Whether that is past, by the clock of the node that answers.</param>
public sealed record TokenAnswer(
    string Name, string Role, IReadOnlyList<string>? Databases, DateTimeOffset Created, DateTimeOffset? Expires, bool Expired);

/// <summary>What <c>DELETE /tokens/{name}</c> answers.</summary>
/// <param name="Name">The token that is over.</param>
/// <param name="Index">The log entry that did it.</param>
/// <param name="Node">The node that answers.</param>
public sealed record RevokedTokenAnswer(string Name, long Index, int Node);
