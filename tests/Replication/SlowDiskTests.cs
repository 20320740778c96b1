using DistDb.Node.Raft;
using DistDb.Node.Replication;
using DistDb.Tests.Support;

namespace DistDb.Tests.Replication;

/// <summary>A disk that takes its time with much deposes nobody; one that hangs with little does.</summary>
public sealed class SlowDiskTests
{
    // With heartbeats every 50 ms.
    private static readonly ReplicationOptions _options = TestCluster.Options with
    {
        Raft = new() { ElectionTimeoutTicksMin = 100, ElectionTimeoutTicksMax = 200 },
    };

    // Longer than any election timeout of these nodes.
    private const int Heartbeats = 50;

    // May take eight seconds, as the disk is not believed to be that slow.
    private static readonly string _large = new('x', 14 << 20);

    [Fact]
    public async Task A_leader_goes_on_while_its_disk_writes_much()
    {
        await using var cluster = await TestCluster.StartAsync(_ => _options);
        var term = cluster[0].Term;
        using (var hold = DiskFault.Hold(cluster.FolderOf(0).RaftLogPath, FaultyCall.Write, "-wal"))
        {
            _ = cluster.InsertAsync(0, _large);
            await cluster.UntilAsync(() => hold.HeldCount > 0, "the disk is busy");
            var before = HeartbeatCount(1);
            await cluster.UntilAsync(() => HeartbeatCount(1) - before > Heartbeats, "followers hear of the leader");
        }

        await cluster.CheckAsync();
        (cluster[0].Role, cluster[0].Term).Should().Be((Role.Leader, term));

        int HeartbeatCount(int to) => cluster.Network.Sent.Count(l => l is { From: 0, Raft: AppendEntries { Entries.Count: 0 } } && l.To == to);
    }

    [Fact]
    public async Task A_leader_goes_on_while_its_followers_disks_write_much()
    {
        await using var cluster = await TestCluster.StartAsync(_ => _options);
        var term = cluster[0].Term;
        using (var one = DiskFault.Hold(cluster.FolderOf(1).RaftLogPath, FaultyCall.Write, "-wal"))
        using (var other = DiskFault.Hold(cluster.FolderOf(2).RaftLogPath, FaultyCall.Write, "-wal"))
        {
            _ = cluster.InsertAsync(0, _large);
            await cluster.UntilAsync(() => one.HeldCount > 0 && other.HeldCount > 0, "both disks are busy");
            var before = AnswerCount();
            await cluster.UntilAsync(() => AnswerCount() - before > Heartbeats, "the leader hears of its followers");
        }

        await cluster.CheckAsync();
        (cluster[0].Role, cluster[0].Term).Should().Be((Role.Leader, term));

        int AnswerCount() => cluster.Network.Sent.Count(l => l is { From: 1, To: 0, Raft: AppendEntriesAccepted });
    }

    [Fact]
    public async Task A_leader_whose_disk_hangs_is_given_up()
    {
        await using var cluster = await TestCluster.StartAsync(_ => _options);
        using (var hold = DiskFault.Hold(cluster.FolderOf(0).RaftLogPath, FaultyCall.Write, "-wal"))
        {
            _ = cluster.InsertAsync(0, "little");
            await cluster.UntilAsync(() => hold.HeldCount > 0, "the disk hangs");
            await cluster.UntilAsync(() => cluster[1].Role == Role.Leader || cluster[2].Role == Role.Leader, "another leads");
            (await cluster.InsertAsync(1, "without it")).Should().BeOfType<WriteResult.Done>();
        }

        await cluster.CheckAsync();
    }
}
