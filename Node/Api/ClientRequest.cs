using DistDb.Node.Commands;
using DistDb.Node.Database;

namespace DistDb.Node.Api;

/// <summary>What all requests have in common that may be large, or take long: how many there may be, what they hold in memory, and how they are refused.</summary>
internal static class ClientRequest
{
    /// <summary>Serves a request, unless too many are under way.</summary>
    /// <param name="context">The request.</param>
    /// <param name="gate">How many there may be.</param>
    /// <param name="budget">What they may hold.</param>
    /// <param name="refuse">Answers a failure, also one that <paramref name="serve"/> throws as a <see cref="RequestRejectedException"/>.</param>
    /// <param name="serve">Serves it, with its share of the memory.</param>
    public static async Task ServeAsync(
        HttpContext context, RequestGate gate, MemoryBudget budget, Func<HttpContext, Failure, Task> refuse, Func<MemoryShare, Task> serve)
    {
        if (!gate.TryEnter())
        {
            await refuse(context, gate.Refusal).ConfigureAwait(false);
            return;
        }

        try
        {
            using var memory = budget.Open();
            await serve(memory).ConfigureAwait(false);
        }
        catch (RequestRejectedException e)
        {
            await refuse(context, e.Failure).ConfigureAwait(false);
        }
        catch (BadHttpRequestException e)
        {
            await refuse(context, Problem.BodyUnreadable(e, "this node (--max-body)")).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to hear the answer.
        }
        finally
        {
            gate.Leave();
        }
    }
}
