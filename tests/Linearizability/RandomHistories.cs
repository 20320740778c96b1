namespace DistDb.Tests.Linearizability;

/// <summary>Small histories for a model: those of a correct object, and the same with something wrong in them, which may or may not show.</summary>
/// <param name="model">How the object behaves.</param>
/// <param name="draw">A call without its result; the number is unique in the history.</param>
/// <param name="answer">The call with the result that it has in a state.</param>
/// <param name="corrupt">The call with another result.</param>
internal sealed class RandomHistories<TState, TCall>(
    Model<TState, TCall> model, Func<Random, int, TCall> draw, Func<TState, TCall, TCall> answer, Func<Random, TCall, TCall> corrupt)
    where TState : notnull
{
    private const int TimeMax = 40;

    public IReadOnlyList<Operation<TCall>> Draw(Random random, int count, bool isCorrupted)
    {
        var fates = Enumerable.Range(0, count)
            .Select(i =>
            {
                var invoked = random.Next(TimeMax);
                var returned = invoked + random.Next(TimeMax / 2);
                var kind = random.Next(10);
                return (
                    Number: i,
                    Call: draw(random, i + 1),
                    Fate: kind == 0 ? Fate.NotDone : kind <= 2 ? Fate.Unknown : Fate.Done,
                    Invoked: invoked,
                    Returned: returned,
                    // Of unknown fate: whenever after its invocation, or never.
                    At: kind == 1 ? invoked + random.Next(2 * TimeMax) : kind is 0 or 2 ? int.MaxValue : random.Next(invoked, returned + 1));
            })
            .ToList();
        var operations = new Operation<TCall>[count];
        var state = model.Initial;
        foreach (var (number, call, fate, invoked, returned, at) in fates.OrderBy(o => o.At))
        {
            var answered = fate == Fate.Done ? answer(state, call) : call;
            operations[number] = new($"client {number}", answered, fate, invoked, returned);
            if (at != int.MaxValue && !model.IsRead(answered) && !model.TryApply(state, answered, out state))
            {
                throw new InvalidOperationException($"The model does not allow its own answer, {answered}.");
            }
        }

        if (isCorrupted)
        {
            var at = random.Next(count);
            operations[at] = random.Next(3) switch
            {
                0 => operations[at] with { Fate = operations[at].Fate == Fate.Done ? Fate.NotDone : operations[at].Fate },
                1 => operations[at] with { Invoked = operations[at].Invoked + TimeMax, Returned = operations[at].Returned + TimeMax },
                _ => operations[at].Fate == Fate.Done ? operations[at] with { Call = corrupt(random, operations[at].Call) } : operations[at],
            };
        }

        return operations;
    }
}
