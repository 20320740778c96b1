using System.Globalization;
using DistDb.Node.Raft;

namespace DistDb.Node.Api;

/// <summary>Where an answer comes from, for formats whose body has no place for it, and for whoever does not read the body.</summary>
internal static class AnswerHeaders
{
    /// <summary>The log index that the answer reflects.</summary>
    public const string Index = "X-DistDb-Index";

    /// <summary>The node that answers.</summary>
    public const string Node = "X-DistDb-Node";

    public static void Set(HttpResponse response, LogIndex index, NodeId node)
    {
        response.Headers[Index] = index.Value.ToString(CultureInfo.InvariantCulture);
        response.Headers[Node] = node.Value.ToString(CultureInfo.InvariantCulture);
    }
}
