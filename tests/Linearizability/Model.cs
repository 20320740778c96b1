namespace DistDb.Tests.Linearizability;

/// <summary>How an object behaves when it is used by one client at a time.</summary>
/// <typeparam name="TState">An immutable value; two that behave alike are equal.</typeparam>
/// <typeparam name="TCall">What is asked and answered.</typeparam>
internal abstract class Model<TState, TCall>
    where TState : notnull
{
    public abstract TState Initial { get; }

    /// <summary>The state after a call; false where the call cannot have had its result in this state. A result that is not known may be any.</summary>
    public abstract bool TryApply(TState state, TCall call, out TState next);

    /// <summary>Whether the call changes nothing, whatever it answers: a history without it is linearizable if the one with it is.</summary>
    public abstract bool IsRead(TCall call);

    /// <summary>For reports.</summary>
    public virtual string Describe(TState state) => state.ToString() ?? "";

    /// <summary>
    /// May use the whole history to narrow the search: a model that refuses earlier what cannot end well, and operations within narrower
    /// times. The outcome must not change.
    /// </summary>
    public virtual (Model<TState, TCall> Model, IReadOnlyList<Operation<TCall>> History) Prepare(IReadOnlyList<Operation<TCall>> history) =>
        (this, history);
}
