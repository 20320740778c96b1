using DistDb.Node.Commands;
using DistDb.Node.Transport;

namespace DistDb.Node.Replication;

/// <summary>The writes that this node, while it leads, has taken and not executed yet. Not thread safe: the write loop's lock guards it.</summary>
internal sealed class LeaderQueue(ReplicationOptions options)
{
    private readonly LinkedList<QueuedWrite> _writes = new();
    private readonly OriginWindows _windows = new();
    private long _bytes;

    /// <summary>How many wait, and about how many bytes they have.</summary>
    public (int Writes, long Bytes) Size => (_writes.Count, _bytes);

    public bool IsEmpty => _writes.Count == 0;

    /// <summary>Whether anything does not wait until this node is trusted: verifications, which bring that about, and writes whose time is up.</summary>
    public bool HasUrgent => _writes.Any(IsUrgent);

    /// <summary>Takes in a copy of a write. Returns the verdict to send back at once, or null.</summary>
    public Failure? Enqueue(ForwardedWrite write)
    {
        var id = write.Command.Id;
        switch (_windows.Arrive(id, write.OldestPending, out var verdict))
        {
            case OriginWindows.Arrival.Known:
                return null;
            case OriginWindows.Arrival.Refused:
                return verdict;
            default:
                break;
        }

        // Every node limits its own clients' writes, so a full queue here means that many nodes are at their limit.
        var bytes = WriteSize.Of(write.Command.Statements);
        if (write.Command.Operation is null
            && (_writes.Count >= 2 * options.PendingWritesMax || (_writes.Count > 0 && _bytes + bytes > 2 * options.PendingBytesMax)))
        {
            verdict = new(FailureCode.Overloaded, "Too many writes are waiting at the leader. This one was not done; send it again in a moment.");
            _windows.Refuse(id, verdict);
            return verdict;
        }

        _writes.AddLast(new QueuedWrite(write.Command, bytes, Deadline.After(TimeSpan.FromMilliseconds(write.RemainingMs)), write.ResultBytesMax, write.Trace));
        _bytes += bytes;
        return null;
    }

    /// <summary>The next writes that fit one batch, oldest first.</summary>
    public List<QueuedWrite> TakeBatch()
    {
        var taken = new List<QueuedWrite>();
        long bytes = 0;
        while (_writes.First is { Value: var next } && taken.Count < options.BatchWritesMax)
        {
            bytes += next.Bytes;
            if (taken.Count > 0 && bytes > options.BatchBytesMax)
            {
                break;
            }

            taken.Add(next);
            _writes.RemoveFirst();
            _bytes -= next.Bytes;
        }

        return taken;
    }

    /// <summary>Those that do not wait until this node is trusted.</summary>
    public List<QueuedWrite> TakeUrgent()
    {
        List<QueuedWrite> taken = [.. _writes.Where(IsUrgent)];
        foreach (var write in taken)
        {
            _writes.Remove(write);
            _bytes -= write.Bytes;
        }

        return taken;
    }

    /// <summary>Puts writes back in front, in their order.</summary>
    public void PutBack(IEnumerable<QueuedWrite> writes)
    {
        foreach (var write in writes.Reverse())
        {
            _writes.AddFirst(write);
            _bytes += write.Bytes;
        }
    }

    public void Refuse(WriteId id, Failure verdict) => _windows.Refuse(id, verdict);

    public void Forget(WriteId id) => _windows.Forget(id);

    /// <summary>Leadership is over: drops everything, and says what was still waiting.</summary>
    public List<QueuedWrite> Clear()
    {
        List<QueuedWrite> dropped = [.. _writes];
        _writes.Clear();
        _windows.Clear();
        _bytes = 0;
        return dropped;
    }

    private static bool IsUrgent(QueuedWrite write) => write.Command.Operation is VerifyOperation || write.Deadline.HasPassed;
}
