namespace DistDb.Tests.Simulation;

/// <summary>A simulation found something; the message says what, where, what led to it and how to see it again.</summary>
internal sealed class SimulationFailedException(int seed, long step, Trace trace, Exception cause) : Exception(
    $"""
    Seed {seed} failed at step {step}: {cause.Message}
    The last events:
    {trace}
    To see it again: dotnet run --project tests -- simulate --seed {seed} --trace
    """,
    cause)
{
    public int Seed => seed;

    public long Step => step;
}
