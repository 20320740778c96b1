using DistDb.Tests.Soak.Clients;

namespace DistDb.Tests.Soak.Workloads;

/// <summary>Databases that are there all the time, with all tables, shared by all kinds of objects.</summary>
internal sealed class SharedDatabases(SoakOptions options) : IHousing
{
    public int ArchivedMax => options.ArchivedPerLane;

    public Task<string> MoveInAsync(SoakClient client, long key, IReadOnlyList<string> schema) =>
        Task.FromResult(options.Databases[(int)(key % options.Databases.Count)]);

    public Task MoveOutAsync(SoakClient client, SoakObject old, SqlRequest removal) =>
        client.WriteAsync(client.DrawNode(), removal, $"remove-{old.Key}");
}
