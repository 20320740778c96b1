namespace DistDb.Node.Raft;

/// <summary>
/// The log as the core sees it: what is on disk, and behind it the entries that are not there yet.
/// Invariant: <c>_unstable</c> is contiguous and replaces whatever the store holds from its first index on.
/// </summary>
internal sealed class RaftLog(ILogStore store, Membership initial)
{
    private readonly List<Entry> _unstable = [];

    /// <summary>Who belongs to the cluster, as this log says.</summary>
    public MembershipHistory Memberships { get; } = new(store, initial);

    /// <summary>Entries that the disk does not hold yet.</summary>
    public IReadOnlyList<Entry> Unstable => _unstable;

    /// <summary>The position before the first entry that can be read.</summary>
    public LogIndex BaseIndex => store.BaseIndex;

    public LogIndex LastIndex => _unstable.Count > 0 ? _unstable[^1].Index : store.LastIndex;

    public Term LastTerm => TermAt(LastIndex)!.Value;

    /// <summary>The term at an index, zero at index zero; null behind the end, and before the base.</summary>
    public Term? TermAt(LogIndex index)
    {
        if (index > LastIndex || index < BaseIndex)
        {
            return null;
        }

        return _unstable.Count > 0 && index >= _unstable[0].Index
            ? _unstable[(int)(index - _unstable[0].Index)].Term
            : store.TermAt(index);
    }

    /// <summary>Adds an entry behind the last.</summary>
    public void Append(Entry entry)
    {
        Invariant.Check(entry.Index == LastIndex.Next, "entries are appended without gaps");
        Add(entry);
    }

    /// <summary>Drops the entry at <paramref name="index"/> and all behind it, to make room for the leader's.</summary>
    public void TruncateFrom(LogIndex index, Entry replacement)
    {
        Invariant.Check(replacement.Index == index, "what is cut off is replaced");
        if (_unstable.Count > 0 && index > _unstable[0].Index)
        {
            var keep = (int)(index - _unstable[0].Index);
            _unstable.RemoveRange(keep, _unstable.Count - keep);
        }
        else
        {
            _unstable.Clear();
        }

        Memberships.TruncateFrom(index);
        Add(replacement);
    }

    /// <summary>The entries of [from, to] until <paramref name="bytesMax"/> is exceeded; at least one.</summary>
    public IReadOnlyList<Entry> Read(LogIndex from, LogIndex to, int bytesMax)
    {
        if (_unstable.Count == 0 || from < _unstable[0].Index)
        {
            // What follows on disk and in memory goes into the next message; mixing both is not worth its code.
            var stableTo = _unstable.Count == 0 ? to : LogIndex.Min(to, _unstable[0].Index.Previous);
            return store.Read(from, stableTo, bytesMax);
        }

        var first = (int)(from - _unstable[0].Index);
        var last = (int)(to - _unstable[0].Index);
        var count = 0;
        for (long bytes = 0; first + count <= last; count++)
        {
            bytes += _unstable[first + count].Data.Length;
            if (count > 0 && bytes > bytesMax)
            {
                break;
            }
        }

        return _unstable.GetRange(first, count);
    }

    /// <summary>The disk now holds everything that was unstable.</summary>
    public void MarkStable()
    {
        if (_unstable.Count > 0)
        {
            Invariant.Check(store.LastIndex == _unstable[^1].Index, "the disk holds what it was given");
            _unstable.Clear();
        }
    }

    /// <summary>Whether a log that ends so is at least as complete as this one (Raft §5.4.1).</summary>
    public bool IsUpToDate(LogIndex lastIndex, Term lastTerm) =>
        lastTerm > LastTerm || (lastTerm == LastTerm && lastIndex >= LastIndex);

    /// <summary>
    /// The last position at or before <paramref name="index"/> whose term is at most <paramref name="term"/>: nothing behind it can
    /// agree with a log that has <paramref name="term"/> at <paramref name="index"/>. Skips whole terms at once (Raft §5.3, end). The position
    /// before the base where not even the base agrees: what is there is not known here any more.
    /// </summary>
    public LogIndex LastPossibleMatch(LogIndex index, Term term)
    {
        var at = LogIndex.Min(index, LastIndex);
        while (at >= BaseIndex && TermAt(at)!.Value > term)
        {
            at = at.Previous;
        }

        return at;
    }

    private void Add(Entry entry)
    {
        _unstable.Add(entry);
        if (entry.Kind == EntryKind.Configuration)
        {
            Memberships.Append(entry);
        }
    }
}
