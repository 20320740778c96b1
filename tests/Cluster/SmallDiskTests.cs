using System.Globalization;
using DistDb.Tests.Support;

namespace DistDb.Tests.Cluster;

/// <summary>One node of a cluster with a disk of its own that is full, or cannot be written: it says so and ends, the others go on, and with room it catches up.</summary>
public sealed class SmallDiskTests
{
    /// <param name="victim">Node 0 is the master.</param>
    /// <param name="statement">What fills the disk; <c>{0}</c> is the row's id.</param>
    /// <param name="padding">Bytes that the log takes beside.</param>
    /// <param name="file">The file that finds the disk full.</param>
    [SmallDiskTheory]
    [InlineData(2, "INSERT INTO t VALUES ({0}, randomblob(100000))", 0, "main.db")]
    [InlineData(2, "INSERT INTO t VALUES ({0}, NULL)", 100_000, "raft.db")]
    [InlineData(0, "INSERT INTO t VALUES ({0}, NULL)", 100_000, "raft.db")]
    public async Task A_node_whose_disk_is_full_ends_with_a_sentence_and_catches_up_with_room(int victim, string statement, int padding, string file)
    {
        await using var cluster = TestCluster.Create(2, _ => ["--host", "127.0.0.1"]);
        var node = cluster[victim];
        var databases = Path.Combine(FolderOf(node), "databases");
        using var first = SmallDisk.Mount(file == "raft.db" ? FolderOf(node) : databases, 6 << 10);
        using var second = file == "raft.db" ? SmallDisk.Mount(databases, 64 << 10) : null;
        cluster.StartAll();
        await cluster.WaitUntilReadyAsync();
        (await cluster.Master.ExecAsync("CREATE TABLE t(id INTEGER PRIMARY KEY, b BLOB)")).Status.Should().Be(200);
        var id = 0;
        for (; node.IsRunning; id++)
        {
            id.Should().BeLessThan(1000, "the disk is small");
            await WriteAsync(cluster, id, string.Format(CultureInfo.InvariantCulture, statement, id) + $" /*{new string('.', padding)}*/");
        }

        (await node.WaitForExitAsync()).Should().Be(1, cluster.Logs);
        node.Current().Should().Contain(file == "main.db" ? databases : Path.Combine(FolderOf(node), file))
            .And.Contain("start the node again").And.NotContain("   at ");
        for (var more = id + 10; id < more; id++)
        {
            await WriteAsync(cluster, id, string.Format(CultureInfo.InvariantCulture, statement, id));
        }

        node.Start();
        (await node.WaitForExitAsync()).Should().Be(1, "there is still no room");
        node.Current().Should().NotContain("   at ");
        first.Resize(64 << 10);
        await cluster.RestartAsync(node);
        await cluster.ConvergeAsync();
        (await node.QueryAsync("SELECT count(*) FROM t")).Json.GetProperty("rows")[0][0].GetInt32().Should().Be(id);
    }

    [SmallDiskFact]
    public async Task A_node_that_has_no_room_for_a_snapshot_says_so_once_and_goes_on_when_there_is()
    {
        await using var cluster = TestCluster.Create(2, _ => ["--host", "127.0.0.1", "--log-tail", "20"]);
        var node = cluster[2];
        using var disk = SmallDisk.Mount(Path.Combine(FolderOf(node), "snapshots"), 1024);
        cluster.StartAll();
        await cluster.WaitUntilReadyAsync();
        (await cluster.Master.ExecAsync("CREATE TABLE t(id INTEGER PRIMARY KEY, b BLOB)")).Status.Should().Be(200);
        node.Kill();
        for (var id = 0; id < 100; id++)
        {
            await WriteAsync(cluster, id, $"INSERT INTO t VALUES ({id}, randomblob(50000))");
        }

        node.Start();
        await cluster.WaitUntilAsync("it says so", () => node.Current().Contains("make room", StringComparison.Ordinal));
        await WriteAsync(cluster, 100, "INSERT INTO t VALUES (100, NULL)");
        node.IsRunning.Should().BeTrue("others may still want what it has");
        disk.Resize(64 << 10);
        await cluster.ConvergeAsync();
        node.Current().Split("make room").Should().HaveCount(2, "it was said once");
    }

    [SmallDiskFact]
    public async Task A_node_whose_disk_cannot_be_written_ends_with_a_sentence()
    {
        await using var cluster = TestCluster.Create(2, _ => ["--host", "127.0.0.1"]);
        var node = cluster[1];
        using var disk = SmallDisk.Mount(FolderOf(node), 64 << 10);
        cluster.StartAll();
        await cluster.WaitUntilReadyAsync();
        (await cluster.Master.ExecAsync("CREATE TABLE t(id INTEGER PRIMARY KEY, b BLOB)")).Status.Should().Be(200);
        node.Kill();
        disk.MakeReadOnly();
        node.Start();
        (await node.WaitForExitAsync()).Should().Be(1);
        node.Current().Should().Contain("Read-only").And.Contain(FolderOf(node)).And.NotContain("   at ").And.NotContain("another distdb process");
        await WriteAsync(cluster, 1, "INSERT INTO t VALUES (1, NULL)");
        disk.MakeWritable();
        await cluster.RestartAsync(node);
        await cluster.ConvergeAsync();
    }

    private static string FolderOf(TestNode node) => Path.GetDirectoryName(Path.GetDirectoryName(node.DatabasePath))!;

    /// <summary>By the first node that runs, as often as it takes.</summary>
    private static async Task WriteAsync(TestCluster cluster, int id, string sql)
    {
        var status = 0;
        await cluster.WaitUntilAsync($"row {id} is written", async () =>
        {
            try
            {
                status = (await cluster.Nodes.First(n => n.IsRunning).ExecOnceAsync($"w{id}", sql)).Status;
            }
            catch (HttpRequestException)
            {
                // It ended instead of answering.
                return false;
            }

            return status == 200;
        });
    }
}
