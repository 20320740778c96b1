using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary><c>GET /access</c>: what the client who asks may do, for programs that offer no more than that.</summary>
internal static class AccessEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/access", Show).Needs(TokenRole.Read);

    private static IResult Show(HttpContext context)
    {
        var access = ClientAccess.Of(context);
        return Results.Json(
            new AccessAnswer(access.TokenName, TokenRoles.NameOf(access.Role), access.Databases.Count > 0 ? access.Databases : null),
            ApiJsonContext.Default.AccessAnswer);
    }
}

/// <summary>What <c>GET /access</c> answers.</summary>
/// <param name="Token">What the client's token is called; null where the cluster asks for none.</param>
/// <param name="Role"><c>read</c>, <c>write</c>, <c>schema</c> or <c>admin</c>.</param>
/// <param name="Databases">The databases where that holds; null for all.</param>
public sealed record AccessAnswer(string? Token, string Role, IReadOnlyList<string>? Databases);
