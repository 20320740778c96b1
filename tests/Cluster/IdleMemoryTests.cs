using DistDb.Tests.Support;

namespace DistDb.Tests.Cluster;

public sealed class IdleMemoryTests
{
    [Fact]
    public async Task What_large_requests_leave_behind_is_given_back_when_a_node_has_nothing_to_do()
    {
        await using var cluster = await TestCluster.StartAsync(0);
        (await cluster.Master.ExecAsync("CREATE TABLE large (v)")).IsOk.Should().BeTrue();
        for (var i = 0; i < 5; i++)
        {
            (await cluster.Master.ExecAsync("INSERT INTO large VALUES (?)", new string('x', 8 << 20))).IsOk.Should().BeTrue();
        }

        var busy = cluster.Master.MemoryBytes;
        await cluster.WaitUntilAsync("memory is given back", () => Task.FromResult(cluster.Master.MemoryBytes < busy - (64 << 20)));
    }
}
