using System.Net;

namespace DistDb.Tools;

/// <summary>A request to a node did not succeed.</summary>
public abstract class NodeException(Uri node, string message, Exception? inner) : Exception(message, inner)
{
    /// <summary>The node that was asked.</summary>
    public Uri Node { get; } = node;

    /// <summary>
    /// Whether the same request may succeed soon, here or at another node. It may also have been applied already, so only a read or a
    /// write with an id may be repeated.
    /// </summary>
    public abstract bool IsTransient { get; }
}

/// <summary>The node cannot be reached, or broke off before it answered.</summary>
public sealed class NodeUnreachableException(Uri node, string reason, Exception? inner)
    : NodeException(node, $"{node.GetLeftPart(UriPartial.Authority)} cannot be reached: {reason}", inner)
{
    /// <summary>Why, without the address; ends without a full stop.</summary>
    public string Reason { get; } = reason;

    public override bool IsTransient => true;
}

/// <summary>The node answered with a problem (RFC 9457).</summary>
/// <param name="node">The node.</param>
/// <param name="status">The HTTP status.</param>
/// <param name="code">The stable code, e.g. <c>no_quorum</c>.</param>
/// <param name="detail">What the node says about it.</param>
/// <param name="retryAfter">How long the node asks to wait before the next try.</param>
public sealed class NodeProblemException(Uri node, HttpStatusCode status, string code, string detail, TimeSpan? retryAfter)
    : NodeException(node, detail, null)
{
    public HttpStatusCode Status { get; } = status;

    public string Code { get; } = code;

    public TimeSpan? RetryAfter { get; } = retryAfter;

    /// <summary>Who is the master, where the request was the master's; else null.</summary>
    public Uri? Master { get; init; }

    /// <summary>The position, from 0, of the statement of a transaction that failed; null where it is about the whole request.</summary>
    public int? Statement { get; init; }

    public override bool IsTransient => Code is "outcome_unknown" or "no_quorum" or "overloaded" or "not_ready" or "repairing";
}
