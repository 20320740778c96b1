namespace DistDb.Node.Database;

/// <summary>What one request holds of a <see cref="MemoryBudget"/>; given back when it is disposed. Used by one thread at a time.</summary>
public sealed class MemoryShare : IDisposable
{
    private readonly MemoryBudget _budget;
    private long _bytes;

    internal MemoryShare(MemoryBudget budget) => _budget = budget;

    /// <summary>The bound of all shares together, in bytes.</summary>
    public long BytesMax => _budget.BytesMax;

    /// <summary>Takes more, or nothing where that would exceed the budget.</summary>
    /// <param name="bytes">How many, from 0.</param>
    public bool TryGrow(long bytes)
    {
        if (!_budget.TryTake(bytes))
        {
            return false;
        }

        _bytes += bytes;
        return true;
    }

    public void Dispose()
    {
        _budget.GiveBack(_bytes);
        _bytes = 0;
    }
}
