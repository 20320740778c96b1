using System.Globalization;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Replication;

namespace DistDb.Node.Api;

/// <summary><c>POST /tokens</c>, <c>GET /tokens</c>, <c>DELETE /tokens/{name}</c>, <c>POST /tokens/init</c>: at any node.</summary>
internal static partial class TokenEndpoints
{
    /// <summary>What <c>POST /tokens/init</c> calls the first token.</summary>
    private const string FirstName = "admin";

    private const int NameLengthMax = 64;
    private const int DatabasesMax = 100;
    private const long LifetimeMaxS = 100L * 365 * 24 * 60 * 60;

    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/tokens", CreateAsync).Needs(TokenRole.Admin);
        routes.MapGet("/tokens", List).Needs(TokenRole.Admin);
        routes.MapDelete("/tokens/{name}", RevokeAsync).Needs(TokenRole.Admin);

        // Whoever has no token yet must be able to ask for the first; with any token in the cluster it takes the cluster secret.
        routes.MapPost("/tokens/init", InitAsync).IsOpenToAll();
    }

    private static IResult List(ClusterNode node)
    {
        var now = node.Now;
        return Results.Json(
            new TokensAnswer([.. (node.Tokens ?? TokenSet.Empty).All.Select(t => new TokenAnswer(
                t.Name,
                TokenRoles.NameOf(t.Role),
                t.Databases.Count > 0 ? t.Databases : null,
                DateTimeOffset.FromUnixTimeMilliseconds(t.CreatedMs),
                t.ExpiresMs is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null,
                t.HasExpired(now)))]),
            ApiJsonContext.Default.TokensAnswer);
    }

    private static Task<IResult> CreateAsync(HttpContext context, ClusterNode node, ILogger<AccessControl> logger) => ClusterEndpoints.GuardAsync(context, async () =>
    {
        var request = await JsonBody.ReadAsync(context, ApiJsonContext.Default.TokenRequest, """{"name": "app", "role": "write", "databases": ["main"], "expires_in_s": 2592000}""")
            .ConfigureAwait(false);

        // Whoever did without a token can only make the first.
        return await MakeAsync(context, node, logger, Check(request), mustBeFirst: ClientAccess.Of(context).TokenName is null).ConfigureAwait(false);
    });

    private static Task<IResult> InitAsync(HttpContext context, ClusterNode node, AccessControl door, ILogger<AccessControl> logger) => ClusterEndpoints.GuardAsync(context, async () =>
        door.Mode switch
        {
            AccessMode.Open => await MakeAsync(context, node, logger, new(FirstName, TokenRole.Admin, [], LifetimeMs: null), mustBeFirst: true).ConfigureAwait(false),
            AccessMode.ByToken when door.HasSecret(context.Request) =>
                await MakeAsync(context, node, logger, new(RecoveryName(node.Now), TokenRole.Admin, [], LifetimeMs: null), mustBeFirst: false).ConfigureAwait(false),
            AccessMode.ByToken => Problem.ToResult(new(
                FailureCode.Conflict,
                "The cluster has tokens already, so that this would not be the first. Nothing was done; have somebody with an admin token make one, or, where there is none any more, give the cluster secret: \"distdb token init --cluster-secret-file\".")),
            _ => Problem.ToResult(new(
                FailureCode.NotReady, "This node has yet to learn from the cluster which tokens there are. Nothing was done; ask it again in a moment, or another node.")),
        });

    private static Task<IResult> RevokeAsync(string name, HttpContext context, ClusterNode node, ILogger<AccessControl> logger) => ClusterEndpoints.GuardAsync(context, async () =>
    {
        switch (await node.ChangeTokensAsync(new RevokeTokenOperation(name), context.RequestAborted).ConfigureAwait(false))
        {
            case WriteResult.Done { Index: var index }:
                var by = ByWhom(context);
                LogRevoked(logger, name, by);
                return Results.Json(new RevokedTokenAnswer(name, index.Value, node.Id.Value), ApiJsonContext.Default.RevokedTokenAnswer);
            case WriteResult.NotDone { Failure: { Code: FailureCode.OutcomeUnknown } failure }:
                return Problem.ToResult(failure with { Detail = $"The cluster did not confirm in time that the token \"{name}\" is revoked; it may be. Ask for it again, which does no harm." });
            case WriteResult.NotDone { Failure: var failure }:
                return Problem.ToResult(failure);
            case var result:
                throw new System.Diagnostics.UnreachableException(result.GetType().Name);
        }
    });

    private static async Task<IResult> MakeAsync(HttpContext context, ClusterNode node, ILogger logger, CheckedToken wanted, bool mustBeFirst)
    {
        var token = BearerToken.Create();
        var operation = new CreateTokenOperation(wanted.Name, wanted.Role, wanted.Databases, wanted.LifetimeMs, BearerToken.HashOf(token), mustBeFirst);
        switch (await node.ChangeTokensAsync(operation, context.RequestAborted).ConfigureAwait(false))
        {
            case WriteResult.Done:
                var by = ByWhom(context);
                LogCreated(logger, wanted.Name, wanted.Role, by);
                return Results.Json(new NewTokenAnswer(token, wanted.Name), ApiJsonContext.Default.NewTokenAnswer);
            case WriteResult.NotDone { Failure: { Code: FailureCode.OutcomeUnknown } failure }:
                return Problem.ToResult(failure with
                {
                    Detail = $"The cluster did not confirm in time that the token \"{wanted.Name}\" is made; if it is, nobody knows it. See whether it is listed, revoke it then, and ask for another.",
                });
            case WriteResult.NotDone { Failure: var failure }:
                return Problem.ToResult(failure);
            case var result:
                throw new System.Diagnostics.UnreachableException(result.GetType().Name);
        }
    }

    /// <exception cref="RequestRejectedException">There can be no such token.</exception>
    private static CheckedToken Check(TokenRequest request)
    {
        if (request.Name is not { Length: > 0 and <= NameLengthMax } name
            || !char.IsAsciiLetterOrDigit(name[0]) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.' or '@'))
        {
            throw Bad($"\"name\" must have 1 to {NameLengthMax} letters, digits, \"_\", \"-\", \".\" and \"@\", and begin with a letter or a digit");
        }

        var role = TokenRoles.Find(request.Role ?? "")
            ?? throw Bad($"\"role\" must be one of {string.Join(", ", TokenRoles.All.Select(r => $"\"{TokenRoles.NameOf(r)}\""))}");
        if (request.ExpiresInS is < 1 or > LifetimeMaxS)
        {
            throw Bad($"\"expires_in_s\" must be from 1 to {LifetimeMaxS} seconds, or be left out for a token that does not expire");
        }

        return new(name, role, CheckDatabases(request.Databases, role), request.ExpiresInS * 1000);
    }

    private static List<string> CheckDatabases(IReadOnlyList<string>? names, TokenRole role)
    {
        if (names is null)
        {
            return [];
        }

        if (role == TokenRole.Admin)
        {
            throw Bad("\"databases\" cannot go with the role \"admin\", which is for the whole cluster; leave it out, or choose a lower role");
        }

        if (names.Count is 0 or > DatabasesMax)
        {
            throw Bad($"\"databases\" must name 1 to {DatabasesMax} databases, or be left out for a token that is good for all");
        }

        return [.. names.Select(n => n is not null && DatabaseName.TryParse(n, out var database)
            ? database.Value
            : throw Bad($"\"{n}\" in \"databases\" cannot be the name of a database: {DatabaseName.Rule}")).Distinct().Order(StringComparer.Ordinal)];
    }

    /// <summary>By the second, for there may be one from before.</summary>
    private static string RecoveryName(DateTimeOffset now) => now.ToString("'admin-'yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);

    private static string ByWhom(HttpContext context) => context.Features.Get<ClientAccess>() switch
    {
        null => "the cluster secret",
        { TokenName: var name } => name ?? "none",
    };

    private static RequestRejectedException Bad(string what) => new(FailureCode.BadRequest, $"{what}. Nothing was done.");

    [LoggerMessage(EventId = 601, Level = LogLevel.Information, Message = "The token \"{Name}\" with the role {Role} was made; the client's token: {By}.")]
    private static partial void LogCreated(ILogger logger, string name, TokenRole role, string by);

    [LoggerMessage(EventId = 602, Level = LogLevel.Information, Message = "The token \"{Name}\" was revoked; the client's token: {By}.")]
    private static partial void LogRevoked(ILogger logger, string name, string by);

    private sealed record CheckedToken(string Name, TokenRole Role, IReadOnlyList<string> Databases, long? LifetimeMs);
}
