namespace DistDb.Tests.Linearizability.Models;

/// <summary>Which of some numbered items are in a set.</summary>
internal sealed class SetState : IEquatable<SetState>
{
    private readonly ulong[] _words;
    private readonly int _hash;

    private SetState(ulong[] words)
    {
        _words = words;
        var hash = new HashCode();
        foreach (var word in words)
        {
            hash.Add(word);
        }

        _hash = hash.ToHashCode();
    }

    /// <summary>The empty set.</summary>
    /// <param name="itemCount">Items are numbered from 0 to below this.</param>
    public static SetState Empty(int itemCount) => new(new ulong[(itemCount + 63) / 64]);

    public static SetState Of(int itemCount, IEnumerable<int> items)
    {
        var words = new ulong[(itemCount + 63) / 64];
        foreach (var item in items)
        {
            words[item / 64] |= 1UL << (item % 64);
        }

        return new(words);
    }

    public bool Contains(int item) => (_words[item / 64] & (1UL << (item % 64))) != 0;

    public SetState With(int item)
    {
        var words = _words.AsSpan().ToArray();
        words[item / 64] |= 1UL << (item % 64);
        return new(words);
    }

    public bool Equals(SetState? other) => other is not null && other._hash == _hash && other._words.AsSpan().SequenceEqual(_words);

    public override bool Equals(object? obj) => Equals(obj as SetState);

    public override int GetHashCode() => _hash;
}
