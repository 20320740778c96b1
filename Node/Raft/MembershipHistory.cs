namespace DistDb.Node.Raft;

/// <summary>
/// The configurations that a log holds, by position. The newest is in force, committed or not; when the log is truncated, the one before
/// is again (thesis §4.1). What was cut off the log's beginning counts as well, through <see cref="ILogStore.BaseMembership"/>.
/// </summary>
internal sealed class MembershipHistory
{
    private readonly ILogStore _store;
    private readonly Membership _initial;

    // In order. Those that were cut off meanwhile may still be among them; they do no harm, and go when the next one comes.
    private readonly List<(LogIndex Index, Membership Membership)> _entries = [];
    private LogIndex _index;

    public MembershipHistory(ILogStore store, Membership initial)
    {
        _store = store;
        _initial = initial;
        Current = initial;
        Reload();
    }

    /// <summary>The newest configuration.</summary>
    public Membership Current { get; private set; }

    /// <summary>Where it stands; zero for the initial one, and where it was cut off the log.</summary>
    public LogIndex CurrentIndex => _index > _store.BaseIndex ? _index : LogIndex.Zero;

    /// <summary>No entry has ever said who belongs to the cluster.</summary>
    public bool IsInitial { get; private set; }

    /// <summary>The newest configuration at or before an index that is not before the log's beginning.</summary>
    public Membership At(LogIndex index)
    {
        var at = _entries.FindLastIndex(e => e.Index <= index);
        return at >= 0 ? _entries[at].Membership : _store.BaseMembership ?? _initial;
    }

    /// <summary>Takes over what a configuration entry says that was just appended.</summary>
    public void Append(Entry entry)
    {
        _entries.RemoveAll(e => e.Index <= _store.BaseIndex);
        _entries.Add((entry.Index, MembershipCodec.Decode(entry.Data.Span)));
        Settle();
    }

    /// <summary>The entry at an index and all behind it are no longer in the log.</summary>
    public void TruncateFrom(LogIndex index)
    {
        if (_entries.RemoveAll(e => e.Index >= index) > 0)
        {
            Settle();
        }
    }

    /// <summary>Reads what the log on disk holds, which must be all of it.</summary>
    public void Reload()
    {
        _entries.Clear();
        _entries.AddRange(_store.ReadConfigurations().Select(e => (e.Index, MembershipCodec.Decode(e.Data.Span))));
        Settle();
    }

    private void Settle()
    {
        if (_entries.Count > 0)
        {
            (_index, Current) = _entries[^1];
            IsInitial = false;
            return;
        }

        var below = _store.BaseMembership;
        (_index, Current) = (LogIndex.Zero, below ?? _initial);
        IsInitial = below is null;
    }
}
