namespace DistDb.Node.Database;

/// <summary>
/// A node's bound on what requests make it hold in memory at one time: their bodies and the rows gathered for their answers. Each request
/// takes a <see cref="MemoryShare"/>, and is refused where the bound would be exceeded; others then finish, instead of all failing. Thread safe.
/// </summary>
/// <param name="bytesMax">The bound, in bytes.</param>
public sealed class MemoryBudget(long bytesMax)
{
    private long _taken;

    /// <summary>The bound, in bytes.</summary>
    public long BytesMax { get; } = bytesMax;

    /// <summary>Bytes that requests hold now.</summary>
    public long Taken => Interlocked.Read(ref _taken);

    /// <summary>A share that holds nothing yet.</summary>
    public MemoryShare Open() => new(this);

    internal bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _taken, bytes) <= BytesMax)
        {
            return true;
        }

        Interlocked.Add(ref _taken, -bytes);
        return false;
    }

    internal void GiveBack(long bytes) => Interlocked.Add(ref _taken, -bytes);
}
