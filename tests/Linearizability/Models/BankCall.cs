namespace DistDb.Tests.Linearizability.Models;

/// <summary>What is asked of a bank, and answered.</summary>
internal abstract record BankCall
{
    /// <param name="From">The account that gives.</param>
    /// <param name="To">Another one, which takes.</param>
    /// <param name="Amount">How much.</param>
    /// <param name="Accepted">False where it was refused because the account does not hold so much; null where that is not known.</param>
    public sealed record Transfer(int From, int To, long Amount, bool? Accepted) : BankCall;

    /// <param name="Balances">Of all accounts.</param>
    public sealed record Read(IReadOnlyList<long> Balances) : BankCall
    {
        public override string ToString() => $"Read [{string.Join(' ', Balances)}]";
    }
}
