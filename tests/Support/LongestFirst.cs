using Xunit.Abstractions;

[assembly: TestCollectionOrderer("DistDb.Tests.Support.LongestFirst", "DistDb.Tests")]

namespace DistDb.Tests.Support;

/// <summary>Begins with the tests that have real processes, so that none of the long ones is left for the end, when it has no other beside it.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] _first = ["DistDb.Tests.Soak.", nameof(Api.ApiTests), "DistDb.Tests.Cluster.", "DistDb.Tests.Overload."];

    public IEnumerable<ITestCollection> OrderTestCollections(IEnumerable<ITestCollection> testCollections) => testCollections.OrderBy(Place);

    // A class without a collection of its own is one, which is named after it.
    private static int Place(ITestCollection collection) =>
        Array.FindIndex(_first, name => collection.DisplayName.Contains(name, StringComparison.Ordinal)) is >= 0 and var place ? place : _first.Length;
}
