namespace DistDb.Node.Api;

/// <summary>Bounds how many requests to <c>/query</c> and <c>/databases</c> are under way at once.</summary>
/// <param name="requestsMax">How many, at least 1.</param>
internal sealed class RequestGate(int requestsMax)
    : Gate(requestsMax, $"{requestsMax} requests are under way at this node, which is its limit (--max-requests). Nothing was done; come back in a moment.");
