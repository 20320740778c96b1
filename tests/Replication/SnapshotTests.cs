using DistDb.Node.Raft;
using DistDb.Node.Replication;
using DistDb.Node.Transport;

namespace DistDb.Tests.Replication;

/// <summary>Logs that are cut, and nodes that come back to find that what they need is gone.</summary>
public sealed class SnapshotTests
{
    private static readonly ReplicationOptions _shortLogs = TestCluster.Options with
    {
        LogTailEntriesMax = 20,
        CheckpointEntries = 10,
    };

    [Fact]
    public async Task The_log_is_bounded_whatever_the_number_of_writes()
    {
        await using var cluster = await TestCluster.StartAsync(_ => _shortLogs);
        await InsertAsync(cluster, 0, "x", 300);
        await cluster.SettleAsync();
        await cluster.UntilAsync(
            () => Enumerable.Range(0, 3).All(n => cluster[n].LastLogIndex - cluster[n].FirstLogIndex < 60), "the logs are cut");
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_node_that_was_away_longer_than_the_log_reaches_comes_back_by_a_snapshot()
    {
        await using var cluster = await TestCluster.StartAsync(_ => _shortLogs);
        await InsertAsync(cluster, 0, "before", 5);
        await cluster.CrashAsync(2);
        await InsertAsync(cluster, 1, "away", 200);
        var reached = cluster[0].AppliedIndex;
        await cluster.UntilAsync(() => cluster[0].FirstLogIndex > new LogIndex(100), "the leader's log is cut");
        await cluster.StartAsync(2);
        await cluster.UntilAsync(() => cluster[2].AppliedIndex >= reached, "the node has caught up");
        cluster[2].FirstLogIndex.Should().BeGreaterThan(new LogIndex(100), "its log begins behind the snapshot");
        await InsertAsync(cluster, 2, "after", 5);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task An_empty_node_learns_everything_and_keeps_it_over_a_restart()
    {
        await using var cluster = await TestCluster.StartAsync(_ => _shortLogs);
        await cluster.CrashAsync(1);
        await InsertAsync(cluster, 0, "x", 200);
        await cluster.UntilAsync(() => cluster[0].FirstLogIndex > new LogIndex(100), "the leader's log is cut");
        cluster.Wipe(1);
        await cluster.StartAsync(1);
        var reached = cluster[0].AppliedIndex;
        await cluster.UntilAsync(() => cluster[1].AppliedIndex >= reached, "the node has caught up");
        await cluster.CrashAsync(1);
        await cluster.StartAsync(1);
        await cluster.UntilAsync(() => cluster[1].IsReady, "the node is taken in again");
        await InsertAsync(cluster, 1, "y", 3);
        await cluster.CheckAsync();
    }

    [Theory]
    [InlineData(5)] // the log is whole
    [InlineData(100)] // it was cut
    public async Task A_node_that_comes_back_empty_to_its_leader_learns_everything(int writes)
    {
        await using var cluster = await TestCluster.StartAsync(_ => _shortLogs);
        await InsertAsync(cluster, 0, "x", writes);
        await cluster.SettleAsync();
        await cluster.CrashAsync(1);
        cluster.Wipe(1);
        var reached = cluster[0].AppliedIndex;
        await cluster.StartAsync(1);
        await cluster.UntilAsync(() => cluster[1].AppliedIndex >= reached && cluster[1].IsReady, "the node has caught up, and is taken in again");
        await InsertAsync(cluster, 1, "y", 3);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task An_installed_snapshot_leaves_no_file()
    {
        await using var cluster = await TestCluster.StartAsync(_ => _shortLogs);
        await cluster.CrashAsync(2);
        await InsertAsync(cluster, 0, "x", 100);
        await cluster.UntilAsync(() => cluster[0].FirstLogIndex > new LogIndex(20), "the leader's log is cut");
        await cluster.StartAsync(2);
        var reached = cluster[0].AppliedIndex;
        await cluster.UntilAsync(() => cluster[2].AppliedIndex >= reached, "the node has caught up");

        await cluster.UntilAsync(
            () => cluster.SnapshotFiles(2).Length == 0, "what was installed became the database, the marker is gone");
    }

    [Fact]
    public async Task A_snapshot_goes_on_where_a_broken_link_left_it()
    {
        await using var cluster = await TestCluster.StartAsync(_ => _shortLogs);
        await cluster.CrashAsync(2);
        await InsertAsync(cluster, 0, "x", 60, bytes: 100_000);
        await cluster.UntilAsync(() => cluster[0].FirstLogIndex > new LogIndex(20), "the leader's log is cut");

        // Every third piece is lost.
        var count = 0;
        cluster.Network.Drop(letter => letter.Message is SnapshotChunk && Interlocked.Increment(ref count) % 3 == 0);
        await cluster.StartAsync(2);
        var reached = cluster[0].AppliedIndex;
        await cluster.UntilAsync(() => cluster[2].AppliedIndex >= reached, "the node has caught up");
        count.Should().BeGreaterThan(10, "the database is many pieces");
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task The_log_is_bounded_while_a_peer_fetches_a_snapshot_however_slowly()
    {
        await using var cluster = await TestCluster.StartAsync(_ => _shortLogs with { LogTailBytesMax = 50_000 });
        await cluster.CrashAsync(2);
        await InsertAsync(cluster, 0, "x", 60);
        await cluster.UntilAsync(() => cluster[0].FirstLogIndex > new LogIndex(20), "the leader's log is cut");

        // It asks, and gets nothing.
        var stall = cluster.Network.Drop(letter => letter.Message is SnapshotChunk);
        await cluster.StartAsync(2);
        await cluster.UntilAsync(() => cluster[2].SnapshotProgress is not null, "the snapshot is offered");
        var (_, bytes) = cluster[2].SnapshotProgress!.Value;
        var offered = cluster[0].AppliedIndex;
        var written = 0L;
        for (var i = 0; written < 2 * Math.Max(bytes, ReplicationOptions.KeptLogTails * 50_000); i++)
        {
            // Much for the log, little for the database.
            var sql = $"INSERT INTO w(token) VALUES (?) /*{new string('.', 20_000)}*/";
            (await cluster.WriteAsync(0, $"y{i}", sql)).Should().BeOfType<WriteResult.Done>();
            written += sql.Length;
        }

        await InsertAsync(cluster, 0, "z", 30);
        await cluster.UntilAsync(() => cluster[0].FirstLogIndex > offered + 10, "the log is cut although the snapshot was never fetched");
        cluster[2].AppliedIndex.Should().BeLessThan(new LogIndex(10));

        stall.Remove();
        await cluster.CheckAsync();
    }

    private static async Task InsertAsync(TestCluster cluster, int node, string prefix, int count, int bytes = 0)
    {
        for (var i = 0; i < count; i++)
        {
            (await cluster.InsertAsync(node, $"{prefix}{i}{new string('.', bytes)}")).Should().BeOfType<WriteResult.Done>();
        }
    }
}
