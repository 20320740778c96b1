using DistDb.Node.Replication;
using DistDb.Node.Storage;
using DistDb.Tests.Support;

namespace DistDb.Tests.Replication;

/// <summary>
/// Disks that fail, each call that SQLite makes of them in turn. The node stops with one sentence and tries nothing again, the others go on, a restart
/// catches up, and nothing that was acknowledged is lost, even where the disk forgets what it had not confirmed.
/// </summary>
public sealed class DiskFaultTests
{
    private const string Log = "raft.db";
    private const string Database = "databases/main.db";

    private static readonly ReplicationOptions _options = TestCluster.Options with
    {
        LogTailEntriesMax = 50,
        CheckpointEntries = 10,
    };

    /// <param name="victim">Node 0 leads.</param>
    /// <param name="file">Whose disk fails.</param>
    /// <param name="suffix">More precisely.</param>
    /// <param name="call">What fails.</param>
    /// <param name="code">How; null for an I/O error.</param>
    /// <param name="passes">So many calls succeed before.</param>
    /// <param name="losesUnsynced">Whether the machine loses power as well.</param>
    [Theory]
    [InlineData(0, Log, "-wal", FaultyCall.Sync, null, 0, false)]
    [InlineData(0, Log, "-wal", FaultyCall.Sync, null, 0, true)]
    [InlineData(2, Log, "-wal", FaultyCall.Sync, null, 0, false)]
    [InlineData(2, Log, "-wal", FaultyCall.Sync, null, 3, true)]
    [InlineData(0, Log, "-wal", FaultyCall.Write, null, 0, true)]
    [InlineData(2, Log, "-wal", FaultyCall.Write, null, 7, false)]
    [InlineData(0, Log, "-wal", FaultyCall.Write, DiskFault.Full, 4, false)]
    [InlineData(2, Log, "-wal", FaultyCall.Write, DiskFault.Full, 0, true)]
    [InlineData(0, Database, "-wal", FaultyCall.Write, null, 2, false)]
    [InlineData(2, Database, "-wal", FaultyCall.Write, null, 2, true)]
    [InlineData(0, Database, "-wal", FaultyCall.Write, DiskFault.Full, 1, true)]
    [InlineData(2, Database, "-wal", FaultyCall.Write, DiskFault.Full, 1, false)]
    [InlineData(0, Database, "-wal", FaultyCall.Sync, null, 0, true)]
    [InlineData(2, Database, "-wal", FaultyCall.Sync, null, 1, false)]
    [InlineData(0, Database, ".db", FaultyCall.Write, null, 0, false)]
    [InlineData(2, Database, ".db", FaultyCall.Write, DiskFault.Full, 1, true)]
    [InlineData(0, Database, ".db", FaultyCall.Sync, null, 0, true)]
    [InlineData(2, Database, ".db", FaultyCall.Sync, null, 0, false)]
    public async Task A_node_whose_disk_fails_stops_and_nothing_that_was_acknowledged_is_lost(
        int victim, string file, string suffix, FaultyCall call, int? code, int passes, bool losesUnsynced)
    {
        await using var cluster = await TestCluster.StartAsync(_ => _options);
        await InsertAsync(cluster, 1, "before", 5);
        var path = Path.Combine(cluster.FolderOf(victim).Path, file);
        using (var fault = DiskFault.Arm(path, call, code, passes, suffix))
        {
            var failure = cluster.FailureAsync(victim);
            var during = new List<Task<WriteResult>>();
            for (var i = 0; i < 200 && !failure.IsCompleted; i++)
            {
                during.Add(cluster.InsertAsync(victim == 0 ? 0 : 1, $"during{i}"));
                await Task.WhenAny(during[^1], failure);
            }

            (await failure).Should().Contain(path).And.Contain("start the node again").And.NotContain("   at ").And.NotContain("\n");
            await cluster.CrashAsync(victim);
            (fault.Count, fault.RetryCount).Should().Be((1, 0), "what failed is not tried again, not even on the way out");
            if (losesUnsynced)
            {
                fault.LoseUnsynced();
            }
        }

        if (victim == 0)
        {
            await cluster.ElectAsync(1, 2);
        }

        await InsertAsync(cluster, 1, "without", 5);
        await cluster.StartAsync(victim);
        await InsertAsync(cluster, victim, "after", 5);
        await cluster.CheckAsync();
    }

    /// <summary>All three disks fail at one moment and forget what they had not confirmed: whatever was answered before is on a majority of them.</summary>
    [Fact]
    public async Task A_node_that_refuses_to_start_lets_its_folder_go()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.CrashAsync(2);
        File.Delete(cluster.FolderOf(2).RaftLogPath);

        for (var i = 0; i < 2; i++)
        {
            await FluentActions.Awaiting(() => cluster.StartAsync(2)).Should().ThrowAsync<RaftStorageException>().WithMessage("*the log was lost*");
        }

        NodeLock.Acquire(cluster.FolderOf(2).Path).Dispose();
    }

    [Fact]
    public async Task Power_that_fails_everywhere_takes_back_nothing_that_was_acknowledged()
    {
        await using var cluster = await TestCluster.StartAsync(_ => _options);
        await InsertAsync(cluster, 0, "before", 25);
        DiskFault[] faults = [.. Enumerable.Range(0, 3).Select(n => DiskFault.Arm(cluster.FolderOf(n).Path, FaultyCall.Sync, passes: 40 + n))];
        var failures = Task.WhenAny(Enumerable.Range(0, 3).Select(cluster.FailureAsync));
        for (var i = 0; i < 300 && !failures.IsCompleted; i++)
        {
            await Task.WhenAny(cluster.InsertAsync(i % 2, $"during{i}"), failures);
        }

        await await failures;
        for (var node = 0; node < 3; node++)
        {
            await cluster.CrashAsync(node);
            faults[node].LoseUnsynced();
            faults[node].Dispose();
        }

        cluster.ForgetFailures();
        for (var node = 0; node < 3; node++)
        {
            await cluster.StartAsync(node);
        }

        await cluster.ElectAsync(0, 1, 2);
        await cluster.CheckAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task A_database_that_cannot_be_read_while_an_entry_is_applied_stops_the_node(int victim)
    {
        await using var cluster = await TestCluster.StartAsync(_ => _options);
        await InsertAsync(cluster, 1, "before", 300);
        await cluster.SettleAsync();
        await cluster.CrashAsync(victim);
        if (victim == 0)
        {
            await cluster.ElectAsync(1, 2);
        }

        // What it reads of the table was not needed at its start.
        await cluster.StartAsync(victim);
        await cluster.SettleAsync();
        if (victim == 0)
        {
            await cluster.ElectAsync(0);
        }

        var path = cluster.FolderOf(victim).DatabasePath("main");
        using (var fault = DiskFault.Arm(path, FaultyCall.Read))
        {
            var failure = cluster.FailureAsync(victim);
            for (var i = 0; i < 100 && !failure.IsCompleted; i++)
            {
                await Task.WhenAny(cluster.InsertAsync(1, $"during{i}", k: 1000 - i), failure);
            }

            (await failure).Should().Contain(path).And.Contain("start the node again");
            fault.Count.Should().Be(1);
            await cluster.CrashAsync(victim);
        }

        if (victim == 0)
        {
            await cluster.ElectAsync(1, 2);
        }

        await cluster.StartAsync(victim);
        await InsertAsync(cluster, victim, "after", 5);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_log_that_cannot_be_read_is_refused_and_opens_when_the_disk_is_well_again()
    {
        await using var cluster = await TestCluster.StartAsync(_ => _options);
        await InsertAsync(cluster, 0, "x", 5);
        await cluster.CrashAsync(2);
        var path = cluster.FolderOf(2).RaftLogPath;
        using (DiskFault.Arm(path, FaultyCall.Read, passes: 2))
        {
            cluster.Invoking(_ => RaftStorage.Open(path, new(2), new())).Should().Throw<RaftStorageException>()
                .WithMessage($"*{path}*Nothing was changed*Check*disk*start the node again*");
        }

        await cluster.StartAsync(2);
        await cluster.CheckAsync();
    }

    private static async Task InsertAsync(TestCluster cluster, int node, string prefix, int count)
    {
        for (var i = 0; i < count; i++)
        {
            (await cluster.InsertAsync(node, $"{prefix}{i}")).Should().BeOfType<WriteResult.Done>();
        }
    }
}
