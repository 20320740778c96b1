using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>How far this node has applied the log, and who waits for it to get further. Thread safe.</summary>
internal sealed class AppliedProgress
{
    private readonly Lock _lock = new();
    private readonly SortedSet<Waiter> _waiting = new(Comparer<Waiter>.Create((a, b) => (a.Index, a.Order).CompareTo((b.Index, b.Order))));
    private long _index;
    private long _order;

    /// <summary>The last index applied and committed to the database, so that a read begun now sees it.</summary>
    public LogIndex Index => new(Interlocked.Read(ref _index));

    /// <summary>How many wait.</summary>
    public int WaiterCount
    {
        get
        {
            lock (_lock)
            {
                return _waiting.Count;
            }
        }
    }

    /// <summary>Waits until <paramref name="index"/> is applied.</summary>
    /// <exception cref="OperationCanceledException">The token fired first.</exception>
    public async Task WaitForAsync(LogIndex index, CancellationToken cancellationToken)
    {
        if (Index >= index)
        {
            return;
        }

        Waiter waiter;
        lock (_lock)
        {
            if (Index >= index)
            {
                return;
            }

            waiter = new(index.Value, _order++);
            _waiting.Add(waiter);
        }

        try
        {
            await waiter.Completion.Task.WaitAsync(cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            // Whoever gives up leaves nothing behind: the index a client asked for may never come.
            lock (_lock)
            {
                _waiting.Remove(waiter);
            }
        }
    }

    /// <summary>
    /// Called by the write loop alone, in order. After a repair it begins again a little before where it was, behind which there were only
    /// entries without content: nobody sees that.
    /// </summary>
    public void Advance(LogIndex index)
    {
        lock (_lock)
        {
            index = LogIndex.Max(index, Index);
            Interlocked.Exchange(ref _index, index.Value);
            while (_waiting.Min is { } waiter && waiter.Index <= index.Value)
            {
                _waiting.Remove(waiter);
                waiter.Completion.SetResult();
            }
        }
    }

    private sealed record Waiter(long Index, long Order)
    {
        public TaskCompletionSource Completion { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
