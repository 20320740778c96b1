using DistDb.Node.Raft;

namespace DistDb.Node.Replication;

/// <summary>
/// What entries of the log did on this node itself: what it can tell others who are in doubt about one. The write loop changes it; thread safe.
/// </summary>
internal sealed class OwnOpinions(AppliedProgress applied)
{
    /// <summary>As the leader recorded.</summary>
    public const ulong AsRecorded = 0;

    private readonly Lock _lock = new();
    private Dictionary<long, ulong> _overruled = [];
    private LogIndex? _since;
    private Disagreement? _disagreement;

    /// <summary>Set while the write loop stands before an entry that does something else here than recorded.</summary>
    public Disagreement? Disagreement
    {
        get
        {
            lock (_lock)
            {
                return _disagreement;
            }
        }
    }

    /// <summary>There is (new) content.</summary>
    /// <param name="since">What entries up to this one did is not known here: they came as a copy, or may have.</param>
    /// <param name="overruled">Entries that were executed otherwise than recorded.</param>
    public void Begin(LogIndex since, Dictionary<long, ulong> overruled)
    {
        lock (_lock)
        {
            _since = since;
            _overruled = overruled;
            _disagreement = null;
        }
    }

    /// <summary>The content is given up, and with it all that could be said of it.</summary>
    public void End()
    {
        lock (_lock)
        {
            _since = null;
            _disagreement = null;
        }
    }

    public void Differ(Disagreement disagreement)
    {
        lock (_lock)
        {
            _disagreement = disagreement;
        }
    }

    /// <summary>The entry of the disagreement is applied as this node observes it.</summary>
    public void Overruled()
    {
        lock (_lock)
        {
            _overruled[_disagreement!.Index.Value] = _disagreement.Observation;
            _disagreement = null;
        }
    }

    /// <summary>What a majority observed of an applied entry, where that is not what its leader recorded; otherwise null.</summary>
    public ulong? OverruledAt(LogIndex index)
    {
        lock (_lock)
        {
            // One that was applied just now is still the disagreement's.
            return index == _disagreement?.Index ? _disagreement.Observation : _overruled.TryGetValue(index.Value, out var observation) ? observation : null;
        }
    }

    /// <summary>What an entry did here, <see cref="AsRecorded"/> or a digest; null where this node has not seen it for itself.</summary>
    public ulong? At(LogIndex index)
    {
        lock (_lock)
        {
            return _since is not { } since || index <= since ? null
                : index == _disagreement?.Index ? _disagreement.Observation
                : index <= applied.Index ? _overruled.GetValueOrDefault(index.Value, AsRecorded)
                : null;
        }
    }
}
