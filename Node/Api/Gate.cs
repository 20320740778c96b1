using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary>Bounds how many do something at once. Thread safe.</summary>
/// <param name="countMax">How many, at least 1.</param>
/// <param name="refusal">What whoever comes too late is told.</param>
internal abstract class Gate(int countMax, string refusal)
{
    private int _count;

    /// <summary>How many are in.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>How many may be in.</summary>
    public int CountMax { get; } = countMax;

    /// <summary>What whoever comes too late is told.</summary>
    public Failure Refusal { get; } = new(FailureCode.Overloaded, refusal);

    /// <summary>Lets somebody in, until <see cref="Leave"/>; false where there are as many as may be.</summary>
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
