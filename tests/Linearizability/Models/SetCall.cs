namespace DistDb.Tests.Linearizability.Models;

/// <summary>What is asked of a set, and answered.</summary>
internal abstract record SetCall
{
    /// <param name="Item">One that is inserted once in all.</param>
    public sealed record Insert(long Item) : SetCall;

    /// <param name="Items">In any order; one that comes twice was inserted twice.</param>
    public sealed record Read(IReadOnlyList<long> Items) : SetCall
    {
        public override string ToString() => $"Read {{{string.Join(' ', Items)}}}";
    }
}
