namespace DistDb.Tests.Soak.Faults;

/// <summary>
/// One kind of fault. To add one, derive from this, claim the nodes that it impairs, break something, hold, mend it, and name it in
/// <see cref="FaultCatalogue"/>.
/// </summary>
internal abstract class Fault
{
    /// <summary>Its name in the table.</summary>
    public abstract string Kind { get; }

    /// <summary>Whether it makes no sense for a node that is alone.</summary>
    public virtual bool NeedsPeers => false;

    /// <summary>Injects it, holds it for a while, and heals it; when this returns, or throws, nothing of it is left.</summary>
    /// <param name="arena">What there is to break.</param>
    /// <param name="random">Decides whom it befalls.</param>
    /// <param name="hold">How long it should last.</param>
    /// <param name="findings">For what should not happen even then.</param>
    /// <param name="end">The run is over: heal at once.</param>
    /// <returns>False where there was nothing that it could befall just now.</returns>
    public abstract Task<bool> RunAsync(Arena arena, Random random, TimeSpan hold, Findings findings, CancellationToken end);

    /// <summary>Lets it last.</summary>
    protected static Task HoldAsync(TimeSpan hold, CancellationToken end) => Task.Delay(hold, end).ContinueWith(
        _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
}
