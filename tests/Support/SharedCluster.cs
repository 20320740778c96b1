namespace DistDb.Tests.Support;

/// <summary>A cluster of three with default settings for all tests of a class, which use tables of their own and leave all nodes running.</summary>
public sealed class SharedCluster : IAsyncLifetime
{
    internal TestCluster Cluster { get; private set; } = null!;

    public async Task InitializeAsync() => Cluster = await TestCluster.StartAsync();

    public async Task DisposeAsync()
    {
        if (Cluster is not null)
        {
            await Cluster.DisposeAsync();
        }
    }
}
