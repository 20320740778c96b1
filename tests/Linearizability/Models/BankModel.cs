using System.Diagnostics;

namespace DistDb.Tests.Linearizability.Models;

/// <summary>Accounts between which money is transferred, none of which ever owes any; they are read all at once.</summary>
/// <param name="accountCount">How many there are.</param>
/// <param name="balance">What each holds at first.</param>
internal sealed class BankModel(int accountCount, long balance) : Model<BankState, BankCall>
{
    public override BankState Initial { get; } = new([.. Enumerable.Repeat(balance, accountCount)]);

    public override bool TryApply(BankState state, BankCall call, out BankState next)
    {
        switch (call)
        {
            case BankCall.Transfer transfer:
                var isCovered = state[transfer.From] >= transfer.Amount;
                next = isCovered ? state.Transfer(transfer.From, transfer.To, transfer.Amount) : state;
                return transfer.Accepted is not { } accepted || accepted == isCovered;
            case BankCall.Read read:
                next = state;
                return state.Holds(read.Balances);
            default:
                throw new UnreachableException(call.ToString());
        }
    }

    public override bool IsRead(BankCall call) => call is BankCall.Read or BankCall.Transfer { Accepted: false };
}
