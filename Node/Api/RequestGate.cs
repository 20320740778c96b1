namespace DistDb.Node.Api;

/// <summary>Bounds how many requests to <c>/query</c> are under way at once. Thread safe.</summary>
/// <param name="requestsMax">How many, at least 1.</param>
internal sealed class RequestGate(int requestsMax)
{
    private int _count;

    public int RequestsMax { get; } = requestsMax;

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
