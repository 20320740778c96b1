using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary>Bounds how many requests to <c>/query</c> and <c>/databases</c> are under way at once. Thread safe.</summary>
/// <param name="requestsMax">How many, at least 1.</param>
internal sealed class RequestGate(int requestsMax)
{
    private int _count;

    /// <summary>How many are under way.</summary>
    public int Count => Volatile.Read(ref _count);

    public int RequestsMax { get; } = requestsMax;

    /// <summary>What a client is told who was not let in.</summary>
    public Failure Refusal => new(
        FailureCode.Overloaded, $"{RequestsMax} requests are under way at this node, which is its limit (--max-requests). Nothing was done; come back in a moment.");

    /// <summary>Lets a request in, until <see cref="Leave"/>; false where there are too many.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _count) <= RequestsMax)
        {
            return true;
        }

        Leave();
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _count);
}
