using DistDb.Node.Commands;

namespace DistDb.Node.Api;

/// <summary>How many backups and restores a node has under way at once: each takes its disk's room and time.</summary>
internal sealed class TransferGate
{
    private const int CountMax = 2;

    private int _count;

    /// <summary>What whoever comes too late is told.</summary>
    public static Failure Refusal { get; } = new(
        FailureCode.Overloaded, "Two backups or restores are under way at this node already. Nothing was done; send it again when one has ended, or a backup to another node.");

    /// <summary>False where there are as many as may be; otherwise <see cref="Leave"/> is owed.</summary>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _count) <= CountMax)
        {
            return true;
        }

        Interlocked.Decrement(ref _count);
        return false;
    }

    public void Leave() => Interlocked.Decrement(ref _count);
}
