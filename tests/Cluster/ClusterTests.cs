using DistDb.Tests.Support;

namespace DistDb.Tests.Cluster;

/// <summary>Clusters of real processes share the machine's two cores badly: their tests run one after the other, and beside nothing else.</summary>
[CollectionDefinition(nameof(ClusterTests), DisableParallelization = true)]
public sealed class ClusterTests : ICollectionFixture<SharedCluster>;

/// <summary>A cluster of three with default settings, for tests that leave it as they found it but for tables of their own.</summary>
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
