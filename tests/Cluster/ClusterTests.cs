using DistDb.Tests.Api;

namespace DistDb.Tests.Cluster;

/// <summary>Clusters of real processes share the machine's cores badly: their tests run one after the other, beside those that start no process.</summary>
[CollectionDefinition(nameof(ClusterTests))]
public sealed class ClusterTests : ICollectionFixture<ApiCluster>;
