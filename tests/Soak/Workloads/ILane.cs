namespace DistDb.Tests.Soak.Workloads;

/// <summary>Clients that share one object after another.</summary>
internal interface ILane : IDisposable
{
    /// <summary>Goes on until cancelled, and ends with objects whose fates are settled.</summary>
    Task RunAsync(CancellationToken stop);

    /// <summary>Looks once more at all objects that are still there.</summary>
    Task RecheckAllAsync();
}
