namespace DistDb.Tests.Api;

/// <summary>The tests that share one cluster: one after the other, since what one is refused must leave no trace, and another's writes were one.</summary>
[CollectionDefinition(nameof(ApiTests))]
public sealed class ApiTests : ICollectionFixture<ApiCluster>;
