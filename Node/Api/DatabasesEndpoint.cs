using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Raft;

namespace DistDb.Node.Api;

/// <summary><c>GET /databases</c>: what there is of what the client may read, at any node, as that node has it.</summary>
internal static class DatabasesEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/databases", ListAsync).Needs(TokenRole.Read);

    private static Task<IResult> ListAsync(HttpContext context, DatabaseCatalog catalog, RequestGate gate, MemoryBudget budget) =>
        ClusterEndpoints.GuardAsync(context, async () =>
        {
            if (!gate.TryEnter())
            {
                throw new RequestRejectedException(gate.Refusal);
            }

            try
            {
                using var memory = budget.Open();
                var answer = await catalog.ReadAsync(ClientAccess.Of(context), memory, context.RequestAborted).ConfigureAwait(false);
                AnswerHeaders.Set(context.Response, new LogIndex(answer.Index), new NodeId(answer.Node));
                return Results.Json(answer, ApiJsonContext.Default.DatabasesAnswer);
            }
            finally
            {
                gate.Leave();
            }
        });
}
