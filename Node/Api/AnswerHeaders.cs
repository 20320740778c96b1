using System.Globalization;
using DistDb.Node.Raft;

namespace DistDb.Node.Api;

/// <summary>What is said in the headers of answers: where one comes from, for whoever does not read the body, and what must not be done with it.</summary>
internal static class AnswerHeaders
{
    /// <summary>The log index that the answer reflects.</summary>
    public const string Index = "X-DistDb-Index";

    /// <summary>The node that answers.</summary>
    public const string Node = "X-DistDb-Node";

    /// <summary>SHA-256 of a file that is answered, as RFC 9530 has it: <c>sha-256=:base64:</c>.</summary>
    public const string Digest = "Repr-Digest";

    /// <summary>Middleware: what browsers and caches on the way must not do with answers, where an answer does not say otherwise.</summary>
    public static Task ProtectAsync(HttpContext context, RequestDelegate next)
    {
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.Headers.CacheControl = "no-store";
        return next(context);
    }

    public static void Set(HttpResponse response, LogIndex index, NodeId node)
    {
        response.Headers[Index] = index.Value.ToString(CultureInfo.InvariantCulture);
        response.Headers[Node] = node.Value.ToString(CultureInfo.InvariantCulture);
    }
}
