namespace DistDb.Tests.Linearizability.Models;

/// <summary>The balances of all accounts.</summary>
internal sealed class BankState(long[] balances) : IEquatable<BankState>
{
    public long this[int account] => balances[account];

    public BankState Transfer(int from, int to, long amount)
    {
        var next = balances.AsSpan().ToArray();
        next[from] -= amount;
        next[to] += amount;
        return new(next);
    }

    public bool Holds(IReadOnlyList<long> others) => balances.SequenceEqual(others);

    public bool Equals(BankState? other) => other is not null && Holds(other.Balances);

    public override bool Equals(object? obj) => Equals(obj as BankState);

    public override int GetHashCode()
    {
        var hash = new HashCode();
        foreach (var balance in balances)
        {
            hash.Add(balance);
        }

        return hash.ToHashCode();
    }

    public override string ToString() => $"[{string.Join(' ', balances)}]";

    private long[] Balances => balances;
}
