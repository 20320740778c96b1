using DistDb.Tests.Linearizability;
using DistDb.Tests.Soak.Clients;
using DistDb.Tests.Support;

namespace DistDb.Tests.Soak.Workloads;

/// <summary>A kind of object that clients share, as rows of a table: how it is asked in SQL, and how it should behave.</summary>
internal abstract class Workload<TState, TCall>
    where TState : notnull
{
    public abstract string Name { get; }

    /// <summary>What the master makes before anything else.</summary>
    public abstract IReadOnlyList<string> Schema { get; }

    public abstract Model<TState, TCall> Model { get; }

    /// <summary>So many writes of unknown fate end an object's time: each can double the ways in which its history can have gone.</summary>
    public virtual int UnknownMax => 20;

    /// <summary>Makes an object, where that takes something.</summary>
    public virtual SqlRequest? Create(long key) => null;

    /// <summary>Removes all of an object.</summary>
    public abstract SqlRequest Remove(long key);

    /// <summary>Reads all of it.</summary>
    public abstract SqlRequest Read(long key);

    public abstract TCall ReadResult(Answer answer);

    /// <summary>Draws a write.</summary>
    /// <param name="random">What decides.</param>
    /// <param name="key">The object.</param>
    /// <param name="number">One that nobody else has.</param>
    /// <returns>What to send, and the call without its result.</returns>
    public abstract (SqlRequest Request, TCall Call) DrawWrite(Random random, long key, long number);

    /// <summary>The call with the result that an answer gives.</summary>
    /// <param name="call">As <see cref="DrawWrite"/> made it.</param>
    /// <param name="answer">Success, or a constraint's refusal; the latter is null where none can come.</param>
    public virtual TCall? WithResult(TCall call, Answer answer) => answer.IsOk ? call : default;

    /// <summary>Whether a read shows a write that its client had done before, at the same node.</summary>
    public virtual bool Shows(TCall read, TCall write) => true;

    /// <summary>Whether a read can be of an earlier time than another one.</summary>
    public virtual bool IsEarlier(TCall read, TCall later) => true;

    /// <summary>What is wrong with a history whose last operation is a read of everything, in words of its own.</summary>
    public virtual IEnumerable<(FindingKind Kind, string Text)> Judge(IReadOnlyList<Operation<TCall>> history) => [];
}
