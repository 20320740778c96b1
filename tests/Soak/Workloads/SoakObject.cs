using DistDb.Tests.Soak.Clients;

namespace DistDb.Tests.Soak.Workloads;

/// <summary>An object that clients share.</summary>
/// <param name="Key">One that no other has.</param>
/// <param name="Database">Where it is.</param>
internal sealed record SoakObject(long Key, string Database)
{
    /// <summary>The request, sent to its database.</summary>
    public SqlRequest In(SqlRequest request) => request with { Database = Database };

    public override string ToString() => $"{Key} in {Database}";
}
