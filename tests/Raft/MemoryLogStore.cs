using DistDb.Node.Raft;

namespace DistDb.Tests.Raft;

/// <summary>A disk without a disk: what was written is durable, in whole writes.</summary>
internal sealed class MemoryLogStore : ILogStore
{
    private readonly List<Entry> _entries = [];

    public HardState HardState { get; private set; }

    public LogIndex BaseIndex { get; private set; }

    public Term BaseTerm { get; private set; }

    public Membership? BaseMembership { get; private set; }

    /// <summary>The newest configuration that was ever written and not replaced; null if none was.</summary>
    public Membership? LatestMembership => MembershipAt(LastIndex);

    public LogIndex LastIndex => BaseIndex + _entries.Count;

    public IReadOnlyList<Entry> Entries => _entries;

    public Entry this[LogIndex index] => _entries[(int)(index - BaseIndex) - 1];

    public Term TermAt(LogIndex index) => index == BaseIndex ? BaseTerm : this[index].Term;

    public IReadOnlyList<Entry> Read(LogIndex from, LogIndex to, int bytesMax)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(from, BaseIndex);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(to.Value, LastIndex.Value);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(from.Value, to.Value);
        var read = new List<Entry> { this[from] };
        long bytes = read[0].Data.Length;
        for (var index = from.Next; index <= to; index = index.Next)
        {
            bytes += this[index].Data.Length;
            if (bytes > bytesMax)
            {
                break;
            }

            read.Add(this[index]);
        }

        return read;
    }

    public IReadOnlyList<Entry> ReadConfigurations() => [.. _entries.Where(e => e.Kind == EntryKind.Configuration)];

    /// <summary>The newest configuration up to an index; null where there was none.</summary>
    public Membership? MembershipAt(LogIndex index) =>
        _entries.LastOrDefault(e => e.Kind == EntryKind.Configuration && e.Index <= index) is { } entry
            ? MembershipCodec.Decode(entry.Data.Span)
            : BaseMembership;

    /// <summary>One atomic write, as <see cref="Ready"/> asks for it.</summary>
    public void Write(HardState? hardState, IReadOnlyList<Entry> entries)
    {
        HardState = hardState ?? HardState;
        if (entries.Count > 0)
        {
            DropFrom(entries[0].Index);
            _entries.AddRange(entries);
        }
    }

    /// <summary>Cuts off what a snapshot holds.</summary>
    public void CutTo(LogIndex index)
    {
        var term = TermAt(index);
        BaseMembership = MembershipAt(index);
        _entries.RemoveRange(0, (int)(index - BaseIndex));
        (BaseIndex, BaseTerm) = (index, term);
    }

    /// <summary>Begins behind a snapshot; keeps what follows it where the log holds its very entry.</summary>
    public void InstallBase(LogIndex index, Term term, Membership? membership = null)
    {
        if (index < BaseIndex)
        {
            return;
        }

        if (index <= LastIndex && TermAt(index) == term)
        {
            CutTo(index);
            return;
        }

        _entries.Clear();
        (BaseIndex, BaseTerm, BaseMembership) = (index, term, membership);
    }

    /// <summary>What no sound disk does: begins behind a snapshot and keeps what follows, whoever's it is.</summary>
    public void InstallBaseBelow(LogIndex index, Term term, Membership? membership)
    {
        _entries.RemoveRange(0, (int)Math.Min(_entries.Count, index - BaseIndex));
        (BaseIndex, BaseTerm, BaseMembership) = (index, term, membership);
    }

    /// <summary>What no sound disk does: forgets entries (also the first half of replacing them).</summary>
    public void DropFrom(LogIndex index)
    {
        var keep = (int)(index - BaseIndex) - 1;
        _entries.RemoveRange(keep, _entries.Count - keep);
    }

    /// <summary>What no sound disk does: forgets term and vote.</summary>
    public void ForgetHardState() => HardState = default;
}
