using DistDb.Node.Raft;

namespace DistDb.Node.Storage;

/// <summary>The newest entries of a log, contiguous up to its end, within a bound of bytes. Not thread safe.</summary>
internal sealed class EntryCache(long bytesMax)
{
    private readonly List<Entry> _entries = [];
    private long _bytes;

    // Entries before this place of the list were given up; they are removed many at a time.
    private int _start;

    /// <summary>Takes in what was written, replacing what stood at or behind its first index.</summary>
    public void Append(IReadOnlyList<Entry> entries)
    {
        var first = entries[0].Index;
        while (_entries.Count > _start && _entries[^1].Index >= first)
        {
            _bytes -= Size(_entries[^1]);
            _entries.RemoveAt(_entries.Count - 1);
        }

        foreach (var entry in entries)
        {
            _entries.Add(entry);
            _bytes += Size(entry);
        }

        while (_bytes > bytesMax && _entries.Count - _start > 1)
        {
            _bytes -= Size(_entries[_start]);
            _start++;
        }

        Compact();
    }

    public void Clear()
    {
        _entries.Clear();
        _start = 0;
        _bytes = 0;
    }

    /// <summary>Gives up the entries up to an index.</summary>
    public void ForgetUpTo(LogIndex index)
    {
        while (_start < _entries.Count && _entries[_start].Index <= index)
        {
            _bytes -= Size(_entries[_start++]);
        }

        Compact();
    }

    /// <summary>The entry at an index, or null where it is not held.</summary>
    public Entry? Find(LogIndex index)
    {
        if (_entries.Count == _start || index < _entries[_start].Index || index > _entries[^1].Index)
        {
            return null;
        }

        return _entries[Position(index)];
    }

    /// <summary>The entries of [from, to] until <paramref name="readBytesMax"/> is exceeded, at least one; null where the first is not held.</summary>
    public List<Entry>? Read(LogIndex from, LogIndex to, int readBytesMax)
    {
        if (Find(from) is null)
        {
            return null;
        }

        var position = Position(from);
        var last = Position(to);
        var count = 0;
        for (long bytes = 0; position + count <= last; count++)
        {
            bytes += _entries[position + count].Data.Length;
            if (count > 0 && bytes > readBytesMax)
            {
                break;
            }
        }

        return _entries.GetRange(position, count);
    }

    private void Compact()
    {
        if (_start > _entries.Count / 2)
        {
            _entries.RemoveRange(0, _start);
            _start = 0;
        }
    }

    // An entry costs its data and about 100 bytes around it.
    private static long Size(Entry entry) => entry.Data.Length + 100;

    private int Position(LogIndex index) => _start + (int)(index - _entries[_start].Index);
}
