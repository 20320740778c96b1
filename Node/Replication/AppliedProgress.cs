using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>How far this node has applied the log, and who waits for it to get further. Thread safe.</summary>
internal sealed class AppliedProgress
{
    private readonly Lock _lock = new();
    private readonly PriorityQueue<TaskCompletionSource, long> _waiting = new();
    private long _index;

    /// <summary>The last index applied and committed to the database, so that a read begun now sees it.</summary>
    public LogIndex Index => new(Interlocked.Read(ref _index));

    /// <summary>Waits until <paramref name="index"/> is applied.</summary>
    /// <exception cref="OperationCanceledException">The token fired first.</exception>
    public Task WaitForAsync(LogIndex index, CancellationToken cancellationToken)
    {
        if (Index >= index)
        {
            return Task.CompletedTask;
        }

        TaskCompletionSource waiter;
        lock (_lock)
        {
            if (Index >= index)
            {
                return Task.CompletedTask;
            }

            waiter = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue(waiter, index.Value);
        }

        return waiter.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Called by the write loop alone, in order.</summary>
    public void Advance(LogIndex index)
    {
        lock (_lock)
        {
            Interlocked.Exchange(ref _index, index.Value);
            while (_waiting.TryPeek(out var waiter, out var wanted) && wanted <= index.Value)
            {
                _waiting.Dequeue();
                waiter.SetResult();
            }
        }
    }
}
