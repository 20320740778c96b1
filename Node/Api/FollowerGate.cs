using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary>How many follow changes at a node at once. Each has a connection, and holds some of the changes in memory while it takes them. Thread safe.</summary>
internal sealed class FollowerGate
{
    /// <summary>Many for programs that each follow one database; a few hundred MiB where all of them are slow.</summary>
    public const int CountMax = 500;

    private int _count;

    /// <summary>What whoever comes too late is told.</summary>
    public static Failure Refusal { get; } = new(
        FailureCode.Overloaded, $"{CountMax} clients follow changes at this node, which is the most there may be. Nothing was done; ask another node, or come back later.");

    /// <summary>False where there are as many as may be; otherwise <see cref="Leave"/> is owed.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _count) <= CountMax)
        {
            return true;
        }

        Leave();
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _count);
}
