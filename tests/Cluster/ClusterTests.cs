using DistDb.Tests.Api;

namespace DistDb.Tests.Cluster;

/// <summary>Clusters of real processes share the machine's cores badly: their tests run one after the other, and beside nothing else.</summary>
[CollectionDefinition(nameof(ClusterTests), DisableParallelization = true)]
public sealed class ClusterTests : ICollectionFixture<ApiCluster>;
