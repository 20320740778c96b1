using DistDb.Node.Commands;
using DistDb.Node.Transport;

namespace DistDb.Node.Replication;

/// <summary>
/// The writes that this node, while it leads, has taken and not executed yet, and the interactive transactions that wait for their turn. Not thread safe: the write loop's lock guards it.
/// <para>
/// One line for all, in the order of arrival. A transaction's turn comes when all of its database's writes before it are done; from then on the database is its own, and who comes
/// for it waits aside, in order, until the turn is over. So neither transactions nor writes overtake each other, and other databases do not notice.
/// </para>
/// </summary>
internal sealed class LeaderQueue(ReplicationOptions options)
{
    private readonly LinkedList<QueuedWrite> _writes = new();
    private readonly OriginWindows _windows = new();
    private readonly Dictionary<string, Turn> _turns = [];
    private long _bytes;
    private int _asideCount;

    /// <summary>How many wait, and about how many bytes they have.</summary>
    public (int Writes, long Bytes) Size => (_writes.Count + _asideCount, _bytes);

    /// <summary>Whether nothing waits but for a turn to end.</summary>
    public bool IsEmpty => _writes.Count == 0;

    /// <summary>Whether anything waits for a turn to end.</summary>
    public bool HasAside => _asideCount > 0;

    /// <summary>Whether the time of any write that waits for a turn to end is up.</summary>
    public bool HasExpiredAside => _asideCount > 0 && _turns.Values.Any(t => t.Aside.Any(w => w.Turn is null && w.Deadline.HasPassed));

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
            && (Size.Writes >= 2 * options.PendingWritesMax || (Size.Writes > 0 && _bytes + bytes > 2 * options.PendingBytesMax)))
        {
            verdict = new(FailureCode.Overloaded, "Too many writes are waiting at the leader. This one was not done; send it again in a moment.");
            _windows.Refuse(id, verdict);
            return verdict;
        }

        _writes.AddLast(new QueuedWrite(write.Command, bytes, Deadline.After(TimeSpan.FromMilliseconds(write.RemainingMs)), write.ResultBytesMax, write.Trace));
        _bytes += bytes;
        return null;
    }

    /// <summary>Has a transaction wait for its turn.</summary>
    public void AddTurn(HostedTransaction transaction) =>
        _writes.AddLast(new QueuedWrite(new WriteCommand { Database = transaction.Start.Database }, 0, new(long.MaxValue), 0) { Turn = transaction });

    /// <summary>The next writes that fit one batch, oldest first.</summary>
    /// <param name="begun">Transactions whose turn begins, once that batch is done.</param>
    public List<QueuedWrite> TakeBatch(out List<HostedTransaction> begun)
    {
        begun = [];
        var taken = TakeExpiredAside();
        HashSet<string> written = [];
        long bytes = 0;
        while (_writes.First is { Value: var next } && taken.Count < options.BatchWritesMax)
        {
            var database = next.Command.Database;
            if (next.Command.Operation is null && _turns.TryGetValue(database, out var turn) && !turn.IsOf(next))
            {
                _writes.RemoveFirst();
                turn.Aside.AddLast(next);
                _asideCount++;
                continue;
            }

            if (next.Turn is { } transaction)
            {
                if (written.Contains(database))
                {
                    // First in the next batch, unless something of this one has to be done again before it.
                    break;
                }

                _writes.RemoveFirst();
                _turns.Add(database, new(transaction.Id));
                begun.Add(transaction);
                continue;
            }

            bytes += next.Bytes;
            if (taken.Count > 0 && bytes > options.BatchBytesMax)
            {
                break;
            }

            taken.Add(next);
            written.Add(database);
            _writes.RemoveFirst();
            _bytes -= next.Bytes;
        }

        return taken;
    }

    /// <summary>A transaction's turn is over: who waited for that is next.</summary>
    public void EndTurn(HostedTransaction transaction)
    {
        if (_turns.TryGetValue(transaction.Start.Database, out var turn) && turn.Transaction == transaction.Id)
        {
            _turns.Remove(transaction.Start.Database);
            _asideCount -= turn.Aside.Count;
            foreach (var write in turn.Aside.Reverse())
            {
                _writes.AddFirst(write);
            }
        }
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
        List<QueuedWrite> dropped = [.. _writes.Concat(_turns.Values.SelectMany(t => t.Aside)).Where(w => w.Turn is null)];
        _writes.Clear();
        _turns.Clear();
        _asideCount = 0;
        _windows.Clear();
        _bytes = 0;
        return dropped;
    }

    private List<QueuedWrite> TakeExpiredAside()
    {
        List<QueuedWrite> taken = [];
        if (!HasExpiredAside)
        {
            return taken;
        }

        foreach (var turn in _turns.Values)
        {
            foreach (var write in turn.Aside.Where(w => w.Turn is null && w.Deadline.HasPassed).ToList())
            {
                turn.Aside.Remove(write);
                _asideCount--;
                _bytes -= write.Bytes;
                taken.Add(write);
            }
        }

        return taken;
    }

    private static bool IsUrgent(QueuedWrite write) => write.Turn is null && (write.Command.Operation is VerifyOperation || write.Deadline.HasPassed);

    /// <summary>A database that is a transaction's own, and who waits for it.</summary>
    private sealed record Turn(Guid Transaction)
    {
        public LinkedList<QueuedWrite> Aside { get; } = new();

        /// <summary>The commit is the transaction's own write.</summary>
        public bool IsOf(QueuedWrite write) => write.Turn is null && write.Command.Interactive?.Transaction == Transaction;
    }
}
