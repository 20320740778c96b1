namespace DistDb.Tests.Linearizability.Models;

/// <summary>A list that shares its beginning with those that it was made from.</summary>
internal sealed class ListState : IEquatable<ListState>
{
    public static readonly ListState Empty = new(null, 0);

    private readonly ListState? _before;
    private readonly long _last;
    private readonly int _hash;

    private ListState(ListState? before, long last)
    {
        _before = before;
        _last = last;
        Count = before is null ? 0 : before.Count + 1;
        _hash = before is null ? 0 : HashCode.Combine(before._hash, last);
    }

    public int Count { get; }

    public ListState Append(long element) => new(this, element);

    public bool Holds(IReadOnlyList<long> elements)
    {
        if (elements.Count != Count)
        {
            return false;
        }

        var state = this;
        for (var i = Count - 1; i >= 0; i--, state = state._before!)
        {
            if (elements[i] != state._last)
            {
                return false;
            }
        }

        return true;
    }

    public bool Equals(ListState? other)
    {
        if (other is null || other._hash != _hash || other.Count != Count)
        {
            return false;
        }

        var (mine, its) = (this, other);
        while (!ReferenceEquals(mine, its))
        {
            if (mine._last != its._last)
            {
                return false;
            }

            // Both end in the one empty list at the latest.
            (mine, its) = (mine._before!, its._before!);
        }

        return true;
    }

    public override bool Equals(object? obj) => Equals(obj as ListState);

    public override int GetHashCode() => _hash;

    public override string ToString()
    {
        var elements = new long[Count];
        var state = this;
        for (var i = Count - 1; i >= 0; i--, state = state._before!)
        {
            elements[i] = state._last;
        }

        return $"[{string.Join(' ', elements)}]";
    }
}
