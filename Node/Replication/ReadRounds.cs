using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>
/// Gathers linearizable reads into rounds: while one round is being confirmed the next one fills, so that however many reads come,
/// one exchange with a majority serves all that waited. A round that gets no answer (its leader died, a message was lost) is asked anew.
/// Belongs to the Raft loop.
/// </summary>
internal sealed class ReadRounds(RaftNode core, int roundTicksMax)
{
    private List<TaskCompletionSource<LogIndex>> _waiting = [];
    private List<TaskCompletionSource<LogIndex>> _asked = [];

    // From a random start, since the answer to a read of the process before may still be on its way, in the same term.
    private long _context = Random.Shared.NextInt64();
    private int _roundTicks;
    private bool _isAsked;

    public void Add(TaskCompletionSource<LogIndex> waiter) => _waiting.Add(waiter);

    /// <summary>Asks for the reads that wait, unless a round is under way or no leader is known.</summary>
    public void BeginRound()
    {
        if (_isAsked || (_waiting.Count == 0 && _asked.Count == 0))
        {
            return;
        }

        // Reads of a round that was lost can use this one as well: it begins later.
        _asked.AddRange(_waiting);
        _waiting.Clear();
        _asked.RemoveAll(waiter => waiter.Task.IsCompleted);
        if (_asked.Count > 0)
        {
            _isAsked = core.RequestRead(++_context);
            _roundTicks = 0;
        }
    }

    public void Tick()
    {
        if (_isAsked && ++_roundTicks > roundTicksMax)
        {
            _isAsked = false;
        }
    }

    public void Confirm(ReadState read)
    {
        if (!_isAsked || read.Context != _context)
        {
            return;
        }

        _isAsked = false;
        (var confirmed, _asked) = (_asked, []);
        foreach (var waiter in confirmed)
        {
            waiter.TrySetResult(read.Index);
        }
    }
}
