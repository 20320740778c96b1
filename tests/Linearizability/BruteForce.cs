namespace DistDb.Tests.Linearizability;

/// <summary>The definition of linearizability, word for word: tries every order. For histories of a few operations, to check the checker with.</summary>
internal static class BruteForce
{
    public static bool IsLinearizable<TState, TCall>(Model<TState, TCall> model, IReadOnlyList<Operation<TCall>> history)
        where TState : notnull =>
        HasOrder(model, model.Initial, [.. history.Where(o => o.Fate == Fate.Done || (o.Fate == Fate.Unknown && !model.IsRead(o.Call)))]);

    private static bool HasOrder<TState, TCall>(Model<TState, TCall> model, TState state, List<Operation<TCall>> remaining)
        where TState : notnull
    {
        if (remaining.TrueForAll(o => o.Fate == Fate.Unknown))
        {
            return true;
        }

        var firstReturn = remaining.Where(o => o.Fate == Fate.Done).Min(o => o.Returned);
        return remaining.Exists(o =>
            o.Invoked <= firstReturn
            && model.TryApply(state, o.Call, out var next)
            && HasOrder(model, next, [.. remaining.Where(other => !ReferenceEquals(other, o))]));
    }
}
