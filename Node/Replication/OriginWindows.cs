using DistDb.Node.Commands;

namespace DistDb.Node.Replication;

/// <summary>
/// What a leader remembers, for its own term only, of the writes it was sent: enough to take each once and to give a repeated copy the
/// verdict of the first. Each origin says up to where it needs no more answers, so this stays as small as what is under way.
/// Not thread safe.
/// </summary>
internal sealed class OriginWindows
{
    private readonly Dictionary<(int Node, ulong Incarnation), Window> _windows = [];

    /// <summary>What a copy that arrives now is.</summary>
    public enum Arrival
    {
        /// <summary>The first copy: it is now remembered as taken.</summary>
        New,

        /// <summary>Taken before and still under way, or applied, or of no interest to its origin any more: ignore it.</summary>
        Known,

        /// <summary>Refused before: say so again.</summary>
        Refused,
    }

    public Arrival Arrive(WriteId id, long oldestPending, out Failure? verdict)
    {
        verdict = null;
        var key = (id.Node, id.Incarnation);
        if (!_windows.TryGetValue(key, out var window))
        {
            _windows.Add(key, window = new(oldestPending));
        }

        window.ForgetBefore(oldestPending);
        if (id.Sequence < window.Oldest)
        {
            return Arrival.Known;
        }

        if (window.Writes.TryGetValue(id.Sequence, out verdict))
        {
            return verdict is null ? Arrival.Known : Arrival.Refused;
        }

        window.Writes.Add(id.Sequence, null);
        return Arrival.New;
    }

    /// <summary>The verdict on a write that was taken, to be repeated for late copies.</summary>
    public void Refuse(WriteId id, Failure verdict)
    {
        if (_windows.TryGetValue((id.Node, id.Incarnation), out var window) && id.Sequence >= window.Oldest)
        {
            window.Writes[id.Sequence] = verdict;
        }
    }

    /// <summary>A write that was answered without being done, and may be answered so again.</summary>
    public void Forget(WriteId id)
    {
        if (_windows.TryGetValue((id.Node, id.Incarnation), out var window))
        {
            window.Writes.Remove(id.Sequence);
        }
    }

    public void Clear() => _windows.Clear();

    private sealed class Window(long oldest)
    {
        public long Oldest { get; private set; } = oldest;

        public Dictionary<long, Failure?> Writes { get; } = [];

        public void ForgetBefore(long oldestPending)
        {
            for (; Oldest < oldestPending; Oldest++)
            {
                Writes.Remove(Oldest);
            }
        }
    }
}
