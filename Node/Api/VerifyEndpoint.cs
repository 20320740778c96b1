using System.Diagnostics;
using System.Text.Json;
using DistDb.Node.Commands;
using DistDb.Node.Replication;

namespace DistDb.Node.Api;

/// <summary><c>POST /cluster/verify</c>: has all nodes compare their content, and answers what they found.</summary>
internal static class VerifyEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapPost("/cluster/verify", HandleAsync);

    private static async Task HandleAsync(HttpContext context, ClusterNode node)
    {
        try
        {
            var request = await ReadRequestAsync(context).ConfigureAwait(false);
            var result = request is null
                ? Problem.ToResult(new(FailureCode.BadRequest, "The body must be empty, or {\"repair\":true} or {\"repair\":false}."))
                : await node.VerifyAsync(request.Repair, context.RequestAborted).ConfigureAwait(false) switch
                {
                    VerifyAnswer.Done { Result: var found } => TypedResults.Json(VerificationStatus.Of(found), ApiJsonContext.Default.VerificationStatus),
                    VerifyAnswer.NotDone { Failure: var failure } => Problem.ToResult(failure),
                    var answer => throw new UnreachableException(answer.GetType().Name),
                };
            await result.ExecuteAsync(context).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to hear the answer.
        }
    }

    /// <summary>Null where it is none.</summary>
    private static async Task<VerifyRequest?> ReadRequestAsync(HttpContext context)
    {
        var bytes = new MemoryStream();
        await using (bytes.ConfigureAwait(false))
        {
            await context.Request.Body.CopyToAsync(bytes, context.RequestAborted).ConfigureAwait(false);
            try
            {
                return bytes.Length == 0
                    ? new VerifyRequest()
                    : JsonSerializer.Deserialize(bytes.GetBuffer().AsSpan(0, (int)bytes.Length), ApiJsonContext.Default.VerifyRequest);
            }
            catch (JsonException)
            {
                return null;
            }
        }
    }
}
