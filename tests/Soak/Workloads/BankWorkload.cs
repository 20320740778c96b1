using DistDb.Tests.Linearizability;
using DistDb.Tests.Linearizability.Models;
using DistDb.Tests.Soak.Clients;
using DistDb.Tests.Support;

namespace DistDb.Tests.Soak.Workloads;

/// <summary>Accounts between which money is transferred by transactions of two updates; a constraint refuses those that an account cannot pay.</summary>
internal sealed class BankWorkload : Workload<BankState, BankCall>
{
    private const int AccountCount = 4;
    private const long Balance = 200;
    private const int AmountMax = 150;

    public override string Name => "bank";

    public override IReadOnlyList<string> Schema =>
        ["CREATE TABLE accounts (key INTEGER, account INTEGER, balance INTEGER NOT NULL CHECK (balance >= 0), PRIMARY KEY (key, account))"];

    public override Model<BankState, BankCall> Model { get; } = new BankModel(AccountCount, Balance);

    public override int UnknownMax => 5;

    public override SqlRequest? Create(long key) => new(false, (
        $"WITH RECURSIVE a(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM a WHERE n < {AccountCount - 1}) INSERT INTO accounts SELECT ?, n, ? FROM a", [key, Balance]));

    public override SqlRequest Remove(long key) => new(false, ("DELETE FROM accounts WHERE key = ?", [key]));

    public override SqlRequest Read(long key) => new(true, ("SELECT balance FROM accounts WHERE key = ? ORDER BY account", [key]));

    public override BankCall ReadResult(Answer answer) =>
        new BankCall.Read([.. answer.Json.GetProperty("rows").EnumerateArray().Select(row => row[0].GetInt64())]);

    public override (SqlRequest Request, BankCall Call) DrawWrite(Random random, long key, long number)
    {
        const string Change = "UPDATE accounts SET balance = balance + ? WHERE key = ? AND account = ?";
        var from = random.Next(AccountCount);
        var to = (from + random.Next(1, AccountCount)) % AccountCount;
        var amount = random.Next(1, AmountMax);

        // In either order, so that some are refused by the first statement and some by the second.
        (string, object[]) take = (Change, [-amount, key, from]);
        (string, object[]) give = (Change, [amount, key, to]);
        return (random.Next(2) == 0 ? new(false, take, give) : new(false, give, take), new BankCall.Transfer(from, to, amount, null));
    }

    public override BankCall? WithResult(BankCall call, Answer answer) => (BankCall.Transfer)call with { Accepted = answer.IsOk };

    /// <summary>A node that was started again may not know of the bank yet.</summary>
    public override bool IsEarlier(BankCall read, BankCall later) =>
        ((BankCall.Read)read).Balances is var balances && (balances.Count == 0 || balances.Sum() == AccountCount * Balance);

    public override IEnumerable<(FindingKind Kind, string Text)> Judge(IReadOnlyList<Operation<BankCall>> history) =>
        from read in history.Select(o => o.Call).OfType<BankCall.Read>()
        where read.Balances.Sum() != AccountCount * Balance
        select (FindingKind.MoneyMade, $"{read} does not add up to {AccountCount * Balance}.");
}
