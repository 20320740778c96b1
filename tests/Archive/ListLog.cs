using DistDb.Node.Raft;

namespace DistDb.Tests.Archive;

/// <summary>A log in memory, whose beginning can be cut.</summary>
internal sealed class ListLog : ILogStore
{
    private readonly List<Entry> _entries = [];

    public LogIndex BaseIndex { get; private set; }

    public Membership? BaseMembership => null;

    public LogIndex LastIndex => BaseIndex + _entries.Count;

    public void Add(EntryKind kind, byte[] data) => _entries.Add(new(LastIndex.Next, new(1), kind, data));

    /// <summary>Lets it begin behind an entry, which it may not have.</summary>
    public void CutTo(LogIndex index)
    {
        _entries.RemoveAll(e => e.Index <= index);
        BaseIndex = index;
    }

    public Term TermAt(LogIndex index) => new(1);

    public IReadOnlyList<Entry> Read(LogIndex from, LogIndex to, int bytesMax)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(from.Value, BaseIndex.Value, nameof(from));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(to.Value, LastIndex.Value, nameof(to));
        List<Entry> read = [];
        for (var index = from; index <= to && (read.Count == 0 || read.Sum(e => e.Data.Length) < bytesMax); index = index.Next)
        {
            read.Add(_entries[(int)(index - BaseIndex) - 1]);
        }

        return read;
    }

    public IReadOnlyList<Entry> ReadConfigurations() => [];
}
