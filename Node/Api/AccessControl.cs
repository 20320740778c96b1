using System.Security.Cryptography;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Replication;

namespace DistDb.Node.Api;

/// <summary>
/// The door: every request of a client passes here before anything else looks at it. It holds the client's token against the tokens of the cluster, as
/// of the last entry that this node applied, and the token's role against what the route needs.
/// </summary>
/// <param name="node">Knows the tokens.</param>
/// <param name="browsers">Knows the pages that may use the node.</param>
/// <param name="clusterSecret">The secret of the cluster: whoever has it is the cluster.</param>
/// <param name="isLoopback">Whether only this machine reaches the node. Any other node is never open.</param>
internal sealed class AccessControl(ClusterNode node, BrowserGuard browsers, ReadOnlyMemory<byte> clusterSecret, bool isLoopback)
{
    private readonly byte[] _secretTokenHash = BearerToken.HashOf(BearerToken.OfSecret(clusterSecret.Span));

    /// <summary>Whether a client has shown that it has the cluster secret: <see cref="BearerToken.OfSecret"/>.</summary>
    public bool HasSecret(HttpRequest request) =>
        BearerToken.Of(request) is { } shown && CryptographicOperations.FixedTimeEquals(BearerToken.HashOf(shown), _secretTokenHash);

    /// <summary>Whether clients are asked for tokens, as far as this node can tell.</summary>
    public AccessMode Mode => ModeOf(node.Tokens);

    /// <summary>What a node does, by what it knows of the cluster's tokens.</summary>
    /// <param name="tokens">All of them, or null where it does not know.</param>
    /// <param name="isLoopback">Whether only this machine reaches it.</param>
    /// <param name="awaitsFirst">Whether a first token is about to be made.</param>
    public static AccessMode ModeOf(TokenSet? tokens, bool isLoopback, bool awaitsFirst) => tokens switch
    {
        { All.Count: > 0 } => AccessMode.ByToken,
        _ when !isLoopback || awaitsFirst => AccessMode.Closed,
        null => AccessMode.Unknown,
        _ => AccessMode.Open,
    };

    /// <summary>Lets a client in, or says why not.</summary>
    /// <param name="mode">What the node does.</param>
    /// <param name="tokens">All tokens.</param>
    /// <param name="shown">The client's, or null.</param>
    /// <param name="needed">The role that it takes.</param>
    /// <param name="now">The time by which tokens expire.</param>
    public static (ClientAccess? Access, Failure? Refusal) Judge(AccessMode mode, TokenSet tokens, string? shown, TokenRole needed, DateTimeOffset now)
    {
        switch (mode)
        {
            case AccessMode.Open:
            case AccessMode.Unknown when needed == TokenRole.Read:
                return (ClientAccess.Unlimited, null);
            case AccessMode.Unknown:
                return (null, new(
                    FailureCode.NotReady,
                    "This node has yet to get the cluster's data, or to catch up with it, and so does not know who may do this. Nothing was done; ask another node, or this one again in a moment."));
            case AccessMode.Closed:
                return (null, new(
                    FailureCode.NotReady,
                    "This node asks for tokens, but has yet to learn from the cluster which there are. Nothing was done; ask it again in a moment."));
            case AccessMode.ByToken:
                break;
            default:
                throw new System.Diagnostics.UnreachableException(mode.ToString());
        }

        if (shown is null)
        {
            return (null, new(
                FailureCode.Unauthorized,
                "This cluster asks for a token: send the header \"Authorization: Bearer <token>\" (the distdb tools take it from DISTDB_TOKEN or --token-file). Nothing was done."));
        }

        return tokens.Find(BearerToken.HashOf(shown)) switch
        {
            null => (null, new(FailureCode.Unauthorized, "This token is not one of the cluster's: it is wrong, or was revoked. Nothing was done.")),
            { } token when token.HasExpired(now) => (null, new(
                FailureCode.Unauthorized, $"The token \"{token.Name}\" has expired. Nothing was done; ask for a new one.")),
            { } token when token.Role < needed => (null, TokenRoles.Refusal("This", needed, token.Role)),
            var token => (ClientAccess.Of(token), null),
        };
    }

    /// <summary>
    /// What to tell a client whom this node let in because it knows of no tokens, and whose write the leader refused as one without: a client that showed
    /// one may well be in the right.
    /// </summary>
    /// <param name="verdict">The leader's.</param>
    /// <param name="shown">The client's token, or null.</param>
    /// <param name="now">What this node says by what it knows by now; null where it lets the client in.</param>
    public static Failure Explain(Failure verdict, string? shown, Failure? now) =>
        verdict.Code != FailureCode.Unauthorized || shown is null ? verdict
        : now ?? new(
            FailureCode.NotReady,
            "This node has yet to learn from the cluster which tokens there are, and so could not say whose this is. Nothing was done; ask it again in a moment, or another node.");

    /// <summary>Middleware; whatever has an address comes behind it.</summary>
    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        // What is no route is the web server's own "no such address" and "another method".
        if (context.GetEndpoint() is not RouteEndpoint route)
        {
            await next(context).ConfigureAwait(false);
            return;
        }

        if (route.Metadata.GetMetadata<AccessRule>() is not { } rule)
        {
            await RefuseAsync(context, new(
                FailureCode.Forbidden, "Nobody may use this address, for it does not say who may: a defect in distdb. Nothing was done.")).ConfigureAwait(false);
            return;
        }

        // Once, so that both go by the same.
        var tokens = node.Tokens;
        var mode = ModeOf(tokens);
        if (browsers.Refuse(context.Request, isOpen: mode is AccessMode.Open or AccessMode.Unknown) is { } foreign)
        {
            await RefuseAsync(context, foreign).ConfigureAwait(false);
            return;
        }

        var (access, refusal) = Judge(mode, tokens ?? TokenSet.Empty, BearerToken.Of(context.Request), rule.Needed ?? TokenRole.Read, node.Now);
        if (access is not null)
        {
            context.Features.Set(access.TokenName is null ? access with { Recheck = () => Judge(context.Request, TokenRole.Read).Refusal } : access);
        }
        else if (rule.Needed is not null)
        {
            await RefuseAsync(context, refusal!).ConfigureAwait(false);
            return;
        }

        await next(context).ConfigureAwait(false);
    }

    /// <summary>Lets a client in, or says why not, by what this node knows at this moment.</summary>
    /// <param name="request">The client's.</param>
    /// <param name="needed">The role that it takes.</param>
    public (ClientAccess? Access, Failure? Refusal) Judge(HttpRequest request, TokenRole needed)
    {
        var tokens = node.Tokens;
        return Judge(ModeOf(tokens), tokens ?? TokenSet.Empty, BearerToken.Of(request), needed, node.Now);
    }

    private AccessMode ModeOf(TokenSet? tokens) => ModeOf(tokens, isLoopback, node.AwaitsFirstToken);

    private static Task RefuseAsync(HttpContext context, Failure refusal) => Problem.ToResult(refusal).ExecuteAsync(context);
}

/// <summary>What a node asks of its clients.</summary>
internal enum AccessMode
{
    /// <summary>Nothing: the cluster has no tokens, and only this machine reaches the node.</summary>
    Open,

    /// <summary>A token.</summary>
    ByToken,

    /// <summary>It lets nobody in: it is to ask for tokens, and knows of none yet.</summary>
    Closed,

    /// <summary>It finds no tokens, may have missed the first, and only this machine reaches it: it shows how it is and what it has, and the leader judges what is written through it.</summary>
    Unknown,
}
