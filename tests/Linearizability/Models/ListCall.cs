namespace DistDb.Tests.Linearizability.Models;

/// <summary>What is asked of a list, and answered.</summary>
internal abstract record ListCall
{
    /// <param name="Element">One that is appended once in all.</param>
    public sealed record Append(long Element) : ListCall;

    public sealed record Read(IReadOnlyList<long> Elements) : ListCall
    {
        public override string ToString() => $"Read [{string.Join(' ', Elements)}]";
    }
}
