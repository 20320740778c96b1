using System.Buffers;
using DistDb.Node.Commands;
using DistDb.Node.Database;
using Microsoft.AspNetCore.Http.Features;

namespace DistDb.Node.Api;

/// <summary>Reads the bodies of requests that may be large, and counts them among the bytes that a node holds for requests.</summary>
internal static class RequestBody
{
    /// <summary>Reads a body as a whole.</summary>
    /// <param name="context">The request.</param>
    /// <param name="limit">How long it may take to arrive.</param>
    /// <param name="memory">What it is counted on.</param>
    /// <param name="parse">What is made of its bytes.</param>
    /// <exception cref="RequestRejectedException">It does not arrive in time, or there is no memory for it.</exception>
    public static async Task<T> ReadAsync<T>(HttpContext context, TimeSpan limit, MemoryShare memory, Parser<T> parse)
    {
        // Counted before it comes where its length is known, so that of many large bodies some get through instead of a part of each.
        long counted = 0;
        if (context.Request.ContentLength is { } length
            && !(length > context.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize))
        {
            Count(memory, length);
            counted = length;
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        patience.CancelAfter(limit);
        var reader = context.Request.BodyReader;
        try
        {
            while (true)
            {
                var read = await reader.ReadAsync(patience.Token).ConfigureAwait(false);
                var consumed = read.Buffer.End;
                try
                {
                    if (read.Buffer.Length > counted)
                    {
                        Count(memory, read.Buffer.Length - counted);
                        counted = read.Buffer.Length;
                    }

                    if (read.IsCompleted)
                    {
                        return parse(read.Buffer.IsSingleSegment ? read.Buffer.FirstSpan : read.Buffer.ToArray());
                    }

                    consumed = read.Buffer.Start;
                }
                finally
                {
                    // Also where the request is refused: the web server goes on with the connection only if the reading has ended.
                    reader.AdvanceTo(consumed, read.Buffer.End);
                }
            }
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            throw new RequestRejectedException(
                FailureCode.Timeout, "The request's body did not arrive within the time limit of this node (--timeout). Nothing was done.");
        }
    }

    /// <summary>Makes something of a body.</summary>
    public delegate T Parser<T>(ReadOnlySpan<byte> body);

    private static void Count(MemoryShare memory, long bytes)
    {
        if (!memory.TryGrow(bytes))
        {
            throw new RequestRejectedException(
                FailureCode.Overloaded, "This node holds as many bytes for requests as it may (--request-memory). Nothing was done; send it again in a moment.");
        }
    }
}
