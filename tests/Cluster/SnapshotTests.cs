using DistDb.Tests.Support;
using Xunit.Abstractions;

namespace DistDb.Tests.Cluster;

/// <summary>Nodes that were away for longer than the log reaches, with processes that die while they catch up.</summary>
public sealed class SnapshotTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_node_that_was_away_catches_up_by_a_snapshot_however_often_it_dies_meanwhile()
    {
        await using var cluster = await TestCluster.StartAsync(2, "--log-tail", "30");
        (await cluster.Master.ExecAsync("CREATE TABLE t(id INTEGER PRIMARY KEY, b BLOB)")).Status.Should().Be(200);
        var node = cluster.Nodes.First(n => n != cluster.Master);
        node.Kill();
        await WriteAsync(cluster, 0, 100);

        // Dies at another moment each time: before, while and after the snapshot arrives and takes its place.
        for (var round = 1; round <= 8; round++)
        {
            node.Start();
            await WriteAsync(cluster, round * 100, 10);
            using var moment = new PeriodicTimer(TimeSpan.FromMilliseconds(60 * round));
            await moment.WaitForNextTickAsync();
            node.Kill();
            await WriteAsync(cluster, (round * 100) + 10, 40);
        }

        node.Start();
        await cluster.WaitUntilReadyAsync();
        await WriteAsync(cluster, 10_000, 10);
        await cluster.ConvergeAsync();
        (await FirstLogIndexAsync(node)).Should().BeGreaterThan(100);
        var answer = await node.QueryAsync("SELECT count(*) FROM t");
        answer.Json.GetProperty("rows")[0][0].GetInt32().Should().Be(100 + (8 * 50) + 10);
    }

    [Fact]
    public async Task An_emptied_node_learns_everything_from_the_others()
    {
        await using var cluster = await TestCluster.StartAsync(2, "--log-tail", "30");
        (await cluster.Master.ExecAsync("CREATE TABLE t(id INTEGER PRIMARY KEY, b BLOB)")).Status.Should().Be(200);
        var node = cluster.Nodes.First(n => n != cluster.Master);
        node.Kill();
        await WriteAsync(cluster, 0, 200);
        Directory.Delete(Path.GetDirectoryName(Path.GetDirectoryName(node.DatabasePath))!, recursive: true);
        node.Start();
        await cluster.WaitUntilReadyAsync();
        await cluster.ConvergeAsync();
        output.WriteLine($"the log of the emptied node begins at {await FirstLogIndexAsync(node)}");
    }

    private static async Task WriteAsync(TestCluster cluster, int from, int count)
    {
        for (var id = from; id < from + count; id++)
        {
            // Some megabytes in all, so that a snapshot takes several messages.
            (await cluster.Master.ExecOnceAsync($"w{id}", "INSERT INTO t VALUES (?, randomblob(20000))", id)).Status.Should().Be(200);
        }
    }

    private static async Task<long> FirstLogIndexAsync(TestNode node) =>
        (await node.StatusAsync() ?? throw new InvalidOperationException("The node gives no status.")).GetProperty("first_log_index").GetInt64();
}
