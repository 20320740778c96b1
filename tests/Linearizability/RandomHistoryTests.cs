using DistDb.Tests.Linearizability.Models;
using Xunit.Abstractions;

namespace DistDb.Tests.Linearizability;

/// <summary>The checker against the definition, on thousands of small histories of each model.</summary>
public sealed class RandomHistoryTests(ITestOutputHelper output)
{
    private const int HistoryCount = 20_000;
    private const int OperationsMax = 7;

    [Fact]
    public void Registers() => Compare(new(
        new RegisterModel(),
        (random, number) => random.Next(3) switch
        {
            0 => new RegisterCall.Write(number),
            1 => new RegisterCall.Cas(random.Next(OperationsMax), number, null),
            _ => new RegisterCall.Read(0),
        },
        (state, call) => call switch
        {
            RegisterCall.Read => new RegisterCall.Read(state),
            RegisterCall.Cas cas => cas with { Succeeded = cas.From == state },
            _ => call,
        },
        (random, call) => call switch
        {
            RegisterCall.Read => new RegisterCall.Read(random.Next(OperationsMax)),
            RegisterCall.Cas cas => cas with { Succeeded = !cas.Succeeded },
            _ => call,
        }), new RegisterModel());

    [Fact]
    public void Lists() => Compare(new(
        new ListModel(),
        (random, number) => random.Next(2) == 0 ? new ListCall.Append(number) : new ListCall.Read([]),
        (state, call) => call is ListCall.Read ? new ListCall.Read(Elements(state)) : call,
        (random, call) => call is ListCall.Read { Elements: var elements }
            ? new ListCall.Read(random.Next(3) switch
            {
                0 => [.. elements.Reverse()],
                1 => [.. elements.Skip(1)],
                _ => [.. elements, .. elements.Take(1)],
            })
            : call), new ListModel());

    [Fact]
    public void Banks() => Compare(new(
        new BankModel(3, 5),
        (random, _) =>
        {
            var from = random.Next(3);
            return random.Next(3) == 0 ? new BankCall.Read([]) : new BankCall.Transfer(from, (from + 1 + random.Next(2)) % 3, random.Next(1, 9), null);
        },
        (state, call) => call switch
        {
            BankCall.Read => new BankCall.Read([state[0], state[1], state[2]]),
            BankCall.Transfer transfer => transfer with { Accepted = state[transfer.From] >= transfer.Amount },
            _ => call,
        },
        (random, call) => call switch
        {
            BankCall.Read { Balances: var b } => new BankCall.Read(random.Next(2) == 0 ? [b[1], b[0], b[2]] : [b[0] + 1, b[1], b[2]]),
            BankCall.Transfer transfer => transfer with { Accepted = !transfer.Accepted },
            _ => call,
        }), new BankModel(3, 5));

    [Fact]
    public void Sets()
    {
        // The set's states only mean something once its items are numbered: a history of all possible inserts does that.
        var all = Enumerable.Range(1, OperationsMax).Select(i => new Operation<SetCall>("", new SetCall.Insert(i), Fate.Done, 0, 0)).ToList();
        var (numbered, _) = new SetModel().Prepare(all);
        Compare(
            new(
                numbered,
                (random, number) => random.Next(2) == 0 ? new SetCall.Insert(number) : new SetCall.Read([]),
                (state, call) => call is SetCall.Read ? ReadOf(state) : call,
                (random, call) => call is SetCall.Read { Items: var items }
                    ? new SetCall.Read(random.Next(2) == 0 ? [.. items.Skip(1)] : [.. items, random.Next(1, OperationsMax)])
                    : call),
            new SetModel(),
            history => new SetModel().Prepare(history).Model);

        SetCall.Read ReadOf(SetState state) => new([.. Enumerable.Range(0, OperationsMax).Where(state.Contains).Select(i => (long)i + 1)]);
    }

    private static IReadOnlyList<long> Elements(ListState state) =>
        [.. state.ToString().Trim('[', ']').Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(e => long.Parse(e, null))];

    /// <param name="histories">What to check.</param>
    /// <param name="model">What the checker is given.</param>
    /// <param name="defining">What brute force is given, where that is not the same.</param>
    private void Compare<TState, TCall>(
        RandomHistories<TState, TCall> histories,
        Model<TState, TCall> model,
        Func<IReadOnlyList<Operation<TCall>>, Model<TState, TCall>>? defining = null)
        where TState : notnull
    {
        var violations = 0;
        for (var seed = 0; seed < HistoryCount; seed++)
        {
            var random = new Random(seed);
            var isCorrupted = seed % 2 == 1;
            var history = histories.Draw(random, random.Next(1, OperationsMax + 1), isCorrupted);
            var isLinearizable = BruteForce.IsLinearizable(defining?.Invoke(history) ?? model, history);
            var verdict = LinearizabilityChecker.Check(model, history).Verdict;
            verdict.Should().Be(isLinearizable ? Verdict.Linearizable : Verdict.Violated, "seed {0}: {1}", seed, string.Join("; ", history));
            if (!isCorrupted)
            {
                isLinearizable.Should().BeTrue("seed {0} is of a correct object: {1}", seed, string.Join("; ", history));
            }

            violations += isLinearizable ? 0 : 1;
        }

        output.WriteLine($"{violations} of {HistoryCount} histories are violations");
        violations.Should().BeGreaterThan(HistoryCount / 20, "otherwise the histories prove little");
    }
}
