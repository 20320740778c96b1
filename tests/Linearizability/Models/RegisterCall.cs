namespace DistDb.Tests.Linearizability.Models;

/// <summary>What is asked of a register, and answered.</summary>
internal abstract record RegisterCall
{
    public sealed record Read(long Value) : RegisterCall;

    public sealed record Write(long Value) : RegisterCall;

    /// <summary>Compare and set.</summary>
    /// <param name="From">What it must hold.</param>
    /// <param name="To">What it holds then.</param>
    /// <param name="Succeeded">Null where that is not known.</param>
    public sealed record Cas(long From, long To, bool? Succeeded) : RegisterCall;
}
