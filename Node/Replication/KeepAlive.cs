using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>
/// Speaks for the Raft loop while its thread waits for the disk, so that a write that takes longer than an election timeout deposes nobody: what the
/// loop said last to each node is said again, without entries. Nothing new is ever said, and Raft lets a network repeat any message; so
/// this can do harm to no more than the time until another leads, and that is bounded: a disk that hangs is given up.
/// <para>Thread safe; the loop's thread is the only one that calls it, beside its own timer's.</para>
/// </summary>
internal sealed class KeepAlive : IDisposable
{
    /// <summary>Every write may take so long. One stalled sync is not yet a failed disk.</summary>
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(1);

    // A disk that writes less in a second is as good as none.
    private const double BytesPerSecondMin = 2 << 20;

    private readonly Action<NodeId, Message> _send;
    private readonly TimeSpan _interval;
    private readonly TimeProvider _time;
    private readonly ITimer _timer;
    private readonly Lock _lock = new();
    private readonly Dictionary<NodeId, Message> _last = [];
    private long _writingSince;
    private long _repeatedAt;
    private TimeSpan _limit;
    private bool _isWriting;
    private bool _hasWritten;
    private bool _isTicking;

    /// <param name="send">Sends a message; may be called on any thread.</param>
    /// <param name="interval">Between two heartbeats.</param>
    /// <param name="time">Where time comes from.</param>
    public KeepAlive(Action<NodeId, Message> send, TimeSpan interval, TimeProvider time)
    {
        _send = send;
        _interval = interval;
        _time = time;
        _repeatedAt = time.GetTimestamp();
        _timer = time.CreateTimer(_ => Tick(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Remembers what has just been sent, if that is worth being repeated.</summary>
    public void Sent(Message message)
    {
        // What only tells of a commit is followed by no answer, and a leader wants to know who is still there.
        if (message is AppendEntries { WantsAnswer: true } or InstallSnapshot or AppendEntriesAccepted or AppendEntriesRejected)
        {
            // Without the entries, which need not be held in memory for this.
            var repeatable = message is AppendEntries { Entries.Count: > 0 } append ? append with { Entries = [] } : message;
            lock (_lock)
            {
                _last[message.To] = repeatable;
            }
        }
    }

    /// <summary>What was said so far holds no longer: another term has begun, or this node has another role.</summary>
    public void Forget()
    {
        lock (_lock)
        {
            _last.Clear();
        }
    }

    /// <summary>A write begins, which ends when what is returned is disposed of.</summary>
    /// <param name="bytes">How much is written.</param>
    public Writing During(long bytes)
    {
        lock (_lock)
        {
            _isWriting = _hasWritten = true;
            _writingSince = _time.GetTimestamp();
            _limit = _patience + TimeSpan.FromSeconds(bytes / BytesPerSecondMin);
            if (!_isTicking)
            {
                // Only while there is something to do: an idle node is not woken.
                _isTicking = true;
                _timer.Change(_interval, _interval);
            }
        }

        return new(this);
    }

    /// <summary>Says the last words to one node again, unless that was done just now: within half an interval, as whoever calls once in each is never quite on time.</summary>
    public void Repeat(NodeId to)
    {
        Message? message = null;
        lock (_lock)
        {
            if (_time.GetElapsedTime(_repeatedAt) >= _interval / 2)
            {
                _repeatedAt = _time.GetTimestamp();
                message = _last.GetValueOrDefault(to);
            }
        }

        if (message is not null)
        {
            _send(to, message);
        }
    }

    public void Dispose() => _timer.Dispose();

    private void Tick()
    {
        Message[] messages;
        lock (_lock)
        {
            if (!_isWriting && !_hasWritten)
            {
                _isTicking = false;
                _timer.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }

            _hasWritten = false;
            var elapsed = _time.GetElapsedTime(_writingSince);
            if (!_isWriting || elapsed < _interval || elapsed > _limit)
            {
                return;
            }

            messages = [.. _last.Values];
        }

        foreach (var message in messages)
        {
            _send(message.To, message);
        }
    }

    private void End()
    {
        lock (_lock)
        {
            _isWriting = false;
        }
    }

    /// <summary>A write that is under way.</summary>
    public readonly struct Writing(KeepAlive owner) : IDisposable
    {
        public void Dispose() => owner.End();
    }
}
