using DistDb.Node.Commands;
using DistDb.Node.Replication;

namespace DistDb.Node.Api;

/// <summary>
/// <c>POST /cluster/promote</c>, <c>GET /cluster/members</c>, <c>POST /cluster/members</c>, <c>DELETE /cluster/members/{id}</c>, <c>POST /cluster/verify</c>: at
/// any node, which carries the wish to the leader.
/// </summary>
internal static class ClusterEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var cluster = routes.MapGroup("/cluster");
        cluster.MapPost("/promote", PromoteAsync).Needs(TokenRole.Admin);
        cluster.MapGet("/members", (StatusBuilder status) => Results.Json(Members(status), ApiJsonContext.Default.MembersAnswer)).Needs(TokenRole.Read);
        cluster.MapPost("/members", UpdateAsync).Needs(TokenRole.Admin);
        cluster.MapDelete("/members/{id:int}", RemoveAsync).Needs(TokenRole.Admin);
        cluster.MapPost("/verify", VerifyAsync).Needs(TokenRole.Admin);
    }

    private static Task<IResult> PromoteAsync(HttpContext context, ClusterNode node) => GuardAsync(context, async () =>
    {
        var request = await JsonBody.ReadAsync(context, ApiJsonContext.Default.PromoteRequest, """{"id": 2}""").ConfigureAwait(false);
        return await node.PromoteAsync(new(request.Id), context.RequestAborted).ConfigureAwait(false) switch
        {
            WriteResult.Done { Index: var index } =>
                Results.Json(new PromoteAnswer(request.Id, index.Value, node.Id.Value), ApiJsonContext.Default.PromoteAnswer),
            WriteResult.NotDone { Failure: var failure } => Problem.ToResult(failure),
            var result => throw new System.Diagnostics.UnreachableException(result.GetType().Name),
        };
    });

    private static Task<IResult> UpdateAsync(HttpContext context, ClusterNode node, StatusBuilder status) => GuardAsync(context, async () =>
    {
        var request = await JsonBody.ReadAsync(context, ApiJsonContext.Default.MemberRequest, """{"id": 2, "address": "http://127.0.0.1:9001"}""")
            .ConfigureAwait(false);
        return Uri.TryCreate(request.Address, UriKind.Absolute, out var uri) && uri.Scheme == Uri.UriSchemeHttp
            ? Answer(await node.MoveMemberAsync(new(request.Id), uri.GetLeftPart(UriPartial.Authority), context.RequestAborted).ConfigureAwait(false), status)
            : Problem.ToResult(new(
                FailureCode.BadRequest, $"\"{request.Address}\" is not the address of a node; one looks like http://127.0.0.1:9001. Nothing was done."));
    });

    private static Task<IResult> RemoveAsync(int id, HttpContext context, ClusterNode node, StatusBuilder status) => GuardAsync(context, async () =>
        node.Membership.Find(new(id)) is null
            ? Problem.ToResult(MembershipPolicy.NoSuchNode(new(id), node.Membership))
            : Answer(await node.RemoveMemberAsync(new(id), context.RequestAborted).ConfigureAwait(false), status));

    private static Task<IResult> VerifyAsync(HttpContext context, ClusterNode node) => GuardAsync(context, async () =>
    {
        var request = await JsonBody.ReadAsync(context, ApiJsonContext.Default.VerifyRequest, """{"repair": true}""", ifEmpty: new()).ConfigureAwait(false);
        return await node.VerifyAsync(request.Repair, context.RequestAborted).ConfigureAwait(false) switch
        {
            VerifyAnswer.Done { Result: var found } => Results.Json(VerificationStatus.Of(found), ApiJsonContext.Default.VerificationStatus),
            VerifyAnswer.NotDone { Failure: var failure } => Problem.ToResult(failure),
            var answer => throw new System.Diagnostics.UnreachableException(answer.GetType().Name),
        };
    });

    private static IResult Answer(Failure? failure, StatusBuilder status) => failure is null
        ? Results.Json(Members(status), ApiJsonContext.Default.MembersAnswer)
        : Problem.ToResult(failure);

    private static MembersAnswer Members(StatusBuilder status) => new(
        [.. status.Cluster().Nodes.Select(n => new MemberAnswer(n.Id, n.Address, n.Role, n.Suffrage, n.Reachable))]);

    /// <summary>Answers what a handler throws on purpose.</summary>
    internal static async Task<IResult> GuardAsync(HttpContext context, Func<Task<IResult>> handle)
    {
        try
        {
            return await handle().ConfigureAwait(false);
        }
        catch (RequestRejectedException e)
        {
            return Problem.ToResult(e.Failure);
        }
        catch (BadHttpRequestException e)
        {
            return Problem.ToResult(Problem.BodyUnreadable(e, "this address"));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to hear the answer.
            return Results.Empty;
        }
    }
}
