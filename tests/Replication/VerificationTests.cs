using DistDb.Node.Commands;
using DistDb.Node.Raft;
using DistDb.Node.Replication;
using DistDb.Node.Transport;

namespace DistDb.Tests.Replication;

/// <summary>Replicas that are not what they should be: found, named and healed, and nobody is told what is wrong.</summary>
public sealed class VerificationTests
{
    private static readonly ReplicationOptions _verified = TestCluster.Options with { VerifyInterval = TimeSpan.FromHours(1) };
    private static readonly ReplicationOptions _shortLogs = _verified with { LogTailEntriesMax = 20, CheckpointEntries = 10 };

    [Fact]
    public async Task Equal_replicas_are_found_equal()
    {
        await using var cluster = await TestCluster.StartAsync();
        await InsertAsync(cluster, 0, "x", 20);
        foreach (var node in (int[])[0, 1, 2])
        {
            var result = await VerifyAsync(cluster, node);
            result.Outcome.Should().Be(VerificationOutcome.Equal);
            result.Nodes.Select(n => n.Health).Should().AllBeEquivalentTo(NodeHealth.Healthy).And.HaveCount(3);
            result.Differences.Should().BeEmpty();
        }

        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_node_that_cannot_be_reached_is_named_and_not_waited_for()
    {
        await using var cluster = await TestCluster.StartAsync();
        await cluster.CrashAsync(2);
        var result = await VerifyAsync(cluster, 1);
        result.Outcome.Should().Be(VerificationOutcome.Incomplete);
        result.Nodes.Single(n => n.Node == new NodeId(2)).Health.Should().Be(NodeHealth.Silent);
    }

    [Theory]
    [InlineData("UPDATE w SET k = -1 WHERE token = 'x3'", "w", "rowid = 4")]
    [InlineData("DELETE FROM w WHERE token = 'x3'", "w", "rowid = 4")]
    [InlineData("INSERT INTO w VALUES ('mine', 77)", "w", "rowid = 11")]
    [InlineData("DROP TABLE w", "sqlite_schema", "type = 'table', name = 'w'")]
    [InlineData("CREATE TABLE other(a)", "sqlite_schema", "type = 'table', name = 'other'")]
    [InlineData("UPDATE _distdb_state SET master_node = 1", "_distdb_state", "id = 1")]
    public async Task A_change_behind_a_stopped_nodes_back_is_found_named_and_healed_at_its_start(string change, string table, string key)
    {
        await using var cluster = await TestCluster.StartAsync(_ => _verified);
        await InsertAsync(cluster, 0, "x", 10);
        await cluster.SettleAsync();
        await cluster.CrashAsync(2);
        cluster.Tamper(2, change);
        await cluster.StartAsync(2);
        await cluster.UntilAsync(() => cluster.QuarantineFiles(2).Length > 0, "the bad file is kept aside");
        await WaitUntilHealedAsync(cluster, 2);
        cluster.Messages.Should().Contain(m => m.Contains($"table {table}:") && m.Contains(key), string.Join("\n", cluster.Messages));
        await InsertAsync(cluster, 2, "after", 3);
        await cluster.CheckAsync();
        (await VerifyAsync(cluster, 2)).Outcome.Should().Be(VerificationOutcome.Equal);
    }

    [Fact]
    public async Task A_leader_that_has_yet_to_be_verified_hands_over_to_a_node_that_is()
    {
        await using var cluster = await TestCluster.StartAsync(_ => _verified);
        await InsertAsync(cluster, 0, "x", 3);
        await cluster.UntilAsync(() => cluster[1].Verification?.Outcome == VerificationOutcome.Equal, "node 1 is verified");
        await cluster.SettleAsync();
        await cluster.CrashAsync(2);
        var held = cluster.Network.Hold(letter => letter.Message is VerifyReport && letter.To == 2);
        await cluster.StartAsync(2);
        await cluster.UntilAsync(() => cluster[2].IsReady && held.Count >= 2, "node 2 is up and others have reported to it");
        await cluster.ElectAsync(2);
        await cluster.CrashAsync(0);
        var write = cluster.InsertAsync(1, "at once");
        await cluster.UntilAsync(() => write.IsCompleted, "the write is done, though node 1 has told nothing of itself since they met");
        (cluster[1].Role, cluster[2].Role).Should().Be((Role.Leader, Role.Follower));

        // Nobody else would do better: it stays, and the write waits until it is verified.
        await cluster.CrashAsync(1);
        await cluster.StartAsync(0);
        await cluster.ElectAsync(2);
        var waiting = cluster.InsertAsync(2, "later");
        cluster[0].Report(default);
        await cluster.UntilAsync(() => cluster.Network.Delivered.Any(l => l is { From: 0, To: 2, Message: NodeReport { IsTrusted: false } }), "node 0 is not better");
        held.Release();
        await cluster.UntilAsync(() => waiting.IsCompleted, "the write is done");
        await cluster.StartAsync(1);
        await cluster.CheckAsync();
    }

    /// <summary>Two of three nodes start, and can compare nothing.</summary>
    /// <param name="isStopped">Whether they ended by themselves; or crashed.</param>
    /// <param name="isChanged">Whether a program changed a file of each in the meantime.</param>
    /// <param name="counts">Whether they take writes all the same.</param>
    [Theory]
    [InlineData(true, false, true)]
    [InlineData(true, true, false)]
    [InlineData(false, false, false)]
    public async Task Nodes_that_find_their_files_as_they_left_them_need_not_be_compared_to_count(bool isStopped, bool isChanged, bool counts)
    {
        await using var cluster = await TestCluster.StartAsync(_ => _verified with { RequestTimeout = TimeSpan.FromSeconds(2) });
        await InsertAsync(cluster, 0, "x", 3);
        await cluster.UntilAsync(() => Enumerable.Range(0, 3).All(n => cluster[n].Verification?.Outcome == VerificationOutcome.Equal), "all are verified");
        await cluster.SettleAsync();
        foreach (var node in (int[])[2, 1, 0])
        {
            await (isStopped ? cluster.StopAsync(node) : cluster.CrashAsync(node));
            if (isChanged)
            {
                cluster.Tamper(node, "UPDATE w SET k = 5 WHERE token = 'x1'");
            }
        }

        using (cluster.Network.Drop(letter => letter.Message is VerifyReport))
        {
            await cluster.StartAsync(0);
            await cluster.StartAsync(1);
            await cluster.ElectAsync(0, 1);
            var write = await cluster.InsertAsync(1, "later");
            (write is WriteResult.Done).Should().Be(counts, $"{write}");
        }

        await cluster.StartAsync(2);
        await cluster.UntilAsync(() => Enumerable.Range(0, 3).All(n => cluster[n].Verification?.Outcome == VerificationOutcome.Equal), "all are compared nevertheless");
        File.Exists(cluster.FolderOf(0).FilesAtRestPath).Should().BeFalse("it holds for one start");
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_copy_counts_only_once_it_is_compared_where_the_node_counted_at_its_start()
    {
        await using var cluster = await TestCluster.StartAsync(_ => _shortLogs);
        await InsertAsync(cluster, 0, "x", 3);
        await cluster.UntilAsync(() => Enumerable.Range(0, 3).All(n => cluster[n].Verification?.Outcome == VerificationOutcome.Equal), "all are verified");
        await cluster.SettleAsync();
        await cluster.StopAsync(2);
        await InsertAsync(cluster, 0, "y", 100);
        await cluster.UntilAsync(() => cluster[0].FirstLogIndex > new LogIndex(20) && cluster[1].FirstLogIndex > new LogIndex(20), "the logs are cut");
        var held = cluster.Network.Hold(letter => letter.Message is VerifyReport && letter.To == 2);
        await cluster.StartAsync(2);
        await cluster.UntilAsync(() => cluster[2].IsReady && cluster[2].AppliedIndex >= cluster[0].FirstLogIndex && held.Count >= 2, "the copy is there, and others have reported");

        var strong = cluster.TokensAsync(2, isStrong: true);
        cluster[2].Report(default);
        await cluster.UntilAsync(() => cluster.Network.Sent.Any(l => l is { From: 2, Message: NodeReport }), "node 2 has said whether it counts");
        cluster.Network.Sent.Where(l => l.From == 2).Select(l => l.Message).OfType<NodeReport>().Should().OnlyContain(report => !report.IsTrusted);
        strong.IsCompleted.Should().BeFalse();

        held.Release();
        await cluster.UntilAsync(() => strong.IsCompleted, "the read is answered");
        (await strong).Should().HaveCount(103);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task Strong_reads_wait_until_the_node_is_verified_and_local_ones_do_not()
    {
        await using var cluster = await TestCluster.StartAsync(_ => _verified);
        await InsertAsync(cluster, 0, "x", 3);
        await cluster.SettleAsync();
        await cluster.CrashAsync(2);
        cluster.Tamper(2, "UPDATE w SET token = 'wrong' WHERE token = 'x1'");
        var held = cluster.Network.Hold(letter => letter.Message is VerifyReport && letter.To == 2);
        await cluster.StartAsync(2);
        await cluster.UntilAsync(() => cluster[2].IsReady && held.Count >= 2, "the node is up and others have reported to it");
        (await cluster.TokensAsync(2)).Should().Contain("wrong", "local reads ask nobody");
        var strong = cluster.TokensAsync(2, isStrong: true);
        strong.IsCompleted.Should().BeFalse();
        held.Release();
        await cluster.UntilAsync(() => strong.IsCompleted, "the read is answered");

        // Not with the wrong rows: it is refused, or waits for the copy.
        (await Record.ExceptionAsync(() => strong))?.Message.Should().Contain("NotDone");
        await WaitUntilHealedAsync(cluster, 2);
        (await cluster.TokensAsync(2, isStrong: true)).Should().Equal("x0", "x1", "x2");
    }

    [Fact]
    public async Task Without_a_majority_it_says_so_and_touches_nothing()
    {
        await using var cluster = await TestCluster.StartAsync();
        await InsertAsync(cluster, 0, "x", 5);
        await cluster.SettleAsync();
        foreach (var node in (int[])[1, 2])
        {
            await cluster.CrashAsync(node);
            cluster.Tamper(node, $"UPDATE w SET k = {node} WHERE token = 'x2'");
            await cluster.StartAsync(node);
        }

        await cluster.SettleAsync();
        var result = await VerifyAsync(cluster, 0, repairs: true);
        result.Outcome.Should().Be(VerificationOutcome.NoMajority);
        result.Nodes.Select(n => n.Health).Should().AllBeEquivalentTo(NodeHealth.Undecided);
        result.Differences.Should().ContainSingle().Which.Should().BeEquivalentTo(new { Table = "w", Keys = (string[])["rowid = 3"] });
        cluster.Messages.Should().Contain(m => m.Contains("no majority"));
        for (var node = 0; node < 3; node++)
        {
            cluster.QuarantineFiles(node).Should().BeEmpty();
            await cluster.UntilAsync(() => cluster[node].IsReady, $"node {node} serves");
        }
    }

    [Fact]
    public async Task Verifying_by_hand_repairs_only_where_it_is_told_to()
    {
        await using var cluster = await TestCluster.StartAsync();
        await InsertAsync(cluster, 0, "x", 5);
        await cluster.SettleAsync();
        await cluster.CrashAsync(1);
        cluster.Tamper(1, "DELETE FROM w WHERE token IN ('x1', 'x3')");
        await cluster.StartAsync(1);
        await cluster.SettleAsync();
        var found = await VerifyAsync(cluster, 2);
        found.Outcome.Should().Be(VerificationOutcome.Differs);
        found.Nodes.Single(n => n.Health == NodeHealth.Differs).Node.Should().Be(new NodeId(1));
        found.Differences.Single().Keys.Should().Equal("rowid = 2", "rowid = 4");
        await cluster.UntilAsync(() => cluster[1].Verification is not null, "node 1 has the result");
        cluster[1].Verification!.Differences.Should().BeEquivalentTo(found.Differences, "every node knows the result");
        cluster.QuarantineFiles(1).Should().BeEmpty();
        await VerifyAsync(cluster, 2, repairs: true);
        await WaitUntilHealedAsync(cluster, 1);
        cluster.QuarantineFiles(1).Should().NotBeEmpty();
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_leader_that_is_in_the_minority_hands_over_and_is_healed()
    {
        await using var cluster = await TestCluster.StartAsync();
        await InsertAsync(cluster, 0, "x", 5);
        await cluster.SettleAsync();
        await cluster.CrashAsync(0);
        cluster.Tamper(0, "UPDATE w SET token = 'wrong' WHERE token = 'x1'");
        await cluster.StartAsync(0);
        await cluster.ElectAsync(0);
        await VerifyAsync(cluster, 1, repairs: true);
        await WaitUntilHealedAsync(cluster, 0);
        cluster[0].Role.Should().NotBe(Role.Leader);
        await InsertAsync(cluster, 0, "after", 3);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_replica_that_observes_something_else_than_the_leader_heals_itself()
    {
        await using var cluster = await TestCluster.StartAsync();
        (await cluster.InsertAsync(0, "x", k: 1)).Should().BeOfType<WriteResult.Done>();
        await cluster.SettleAsync();
        await cluster.CrashAsync(2);
        cluster.Tamper(2, "DELETE FROM w");
        await cluster.StartAsync(2);
        (await cluster[0].WriteAsync("main", [TestCluster.Sql("UPDATE w SET k = k + 1")], false, null, default)).Should().BeOfType<WriteResult.Done>();
        await WaitUntilHealedAsync(cluster, 2);
        cluster.Messages.Should().Contain(m => m.Contains("is not what the leader has"));
        (await cluster.TokensAsync(2, isStrong: true)).Should().Equal("x");
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_repairing_node_refuses_says_why_and_goes_on_repairing_after_a_restart()
    {
        await using var cluster = await TestCluster.StartAsync();
        await InsertAsync(cluster, 0, "x", 5);
        await cluster.SettleAsync();
        await cluster.CrashAsync(2);
        cluster.Tamper(2, "DELETE FROM w");
        await cluster.StartAsync(2);
        await cluster.SettleAsync();
        using (var offers = cluster.Network.Drop(letter => letter.Message is SnapshotOffer))
        {
            await VerifyAsync(cluster, 0, repairs: true);
            await cluster.UntilAsync(() => cluster[2].Repair?.QuarantineFolder is not null, "the node is without a database");
            cluster[2].IsReady.Should().BeFalse();
            Refused(await cluster[2].QueryAsync("main", TestCluster.Sql("SELECT 1"), false, default, default));
            (await cluster[2].WriteAsync("main", [TestCluster.Sql("DELETE FROM w")], false, null, default)).Should().BeOfType<WriteResult.NotDone>()
                .Which.Failure.Code.Should().Be(FailureCode.Repairing);
            await cluster.CrashAsync(2);
            await cluster.StartAsync(2);
            cluster[2].Repair!.Reason.Should().Contain("differs");
            Refused(await cluster[2].QueryAsync("main", TestCluster.Sql("SELECT 1"), true, default, default));
            await InsertAsync(cluster, 1, "meanwhile", 3);
        }

        await WaitUntilHealedAsync(cluster, 2);
        cluster.QuarantineFiles(2).Should().Contain(f => f.EndsWith(".db", StringComparison.Ordinal));
        await cluster.CheckAsync();

        static void Refused(QueryResult result)
        {
            var failure = result.Should().BeOfType<QueryResult.NotDone>().Which.Failure;
            failure.Code.Should().Be(FailureCode.Repairing);
            failure.Detail.Should().Contain("being replaced");
        }
    }

    [Fact]
    public async Task A_database_that_is_gone_or_older_than_the_log_is_replaced()
    {
        await using var cluster = await TestCluster.StartAsync(_ => _shortLogs);
        cluster.SaveDatabase(2);
        await InsertAsync(cluster, 0, "x", 100);
        await cluster.UntilAsync(() => cluster[1].FirstLogIndex > new LogIndex(20) && cluster[2].FirstLogIndex > new LogIndex(20), "the logs are cut");
        await cluster.CrashAsync(1);
        cluster.WipeDatabase(1);
        await cluster.StartAsync(1);
        await WaitUntilHealedAsync(cluster, 1);
        cluster.Messages.Should().Contain(m => m.Contains("is gone"));
        await cluster.CrashAsync(2);
        cluster.LoseUnsynced(2);
        await cluster.StartAsync(2);
        await WaitUntilHealedAsync(cluster, 2);
        cluster.Messages.Should().Contain(m => m.Contains("older copy"));
        cluster.QuarantineFiles(2).Should().NotBeEmpty();
        await InsertAsync(cluster, 1, "after", 3);
        await cluster.CheckAsync();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(4096)]
    [InlineData(3 * 4096)]
    public async Task A_truncated_file_is_replaced(int bytes)
    {
        await using var cluster = await TestCluster.StartAsync(_ => _shortLogs);
        await InsertAsync(cluster, 0, "x", 100);
        await cluster.UntilAsync(() => cluster[2].FirstLogIndex > new LogIndex(20), "the log is cut");
        await cluster.CrashAsync(2);
        cluster.Truncate(2, bytes);
        await cluster.StartAsync(2);
        await WaitUntilHealedAsync(cluster, 2);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_page_that_was_overwritten_is_found_with_the_first_row_that_cannot_be_read()
    {
        await using var cluster = await TestCluster.StartAsync(_ => _verified);
        (await cluster[0].WriteAsync("main",
            [TestCluster.Sql("WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < 2000) INSERT INTO w SELECT 'row ' || n, n FROM c")],
            false, null, default)).Should().BeOfType<WriteResult.Done>();
        await cluster.SettleAsync();
        await cluster.CrashAsync(2);
        cluster.OverwritePage(2, "row 1234");
        await cluster.StartAsync(2);
        await WaitUntilHealedAsync(cluster, 2);
        cluster.Messages.Should().Contain(m => m.Contains("node 2 is damaged") && m.Contains("table w: node 2 cannot read all of it, rowid = 1"));
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_query_that_hits_damage_is_refused_and_starts_the_repair()
    {
        await using var cluster = await TestCluster.StartAsync();
        (await cluster[0].WriteAsync("main",
            [TestCluster.Sql("WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < 2000) INSERT INTO w SELECT 'row ' || n, n FROM c")],
            false, null, default)).Should().BeOfType<WriteResult.Done>();
        await cluster.SettleAsync();
        await cluster.CrashAsync(2);
        cluster.OverwritePage(2, "row 1234");
        await cluster.StartAsync(2);
        await cluster.SettleAsync();
        (await cluster[2].QueryAsync("main", TestCluster.Sql("SELECT token FROM w NOT INDEXED"), false, default, default)).Should().BeOfType<QueryResult.NotDone>()
            .Which.Failure.Code.Should().Be(FailureCode.Repairing);
        await WaitUntilHealedAsync(cluster, 2);
        (await cluster.TokensAsync(2)).Should().HaveCount(2001);
        await cluster.CheckAsync();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_file_that_is_put_in_the_place_of_a_running_nodes_is_neither_read_nor_written(bool isRead)
    {
        await using var cluster = await TestCluster.StartAsync();
        await InsertAsync(cluster, 0, "x", 5);
        await cluster.SettleAsync();
        await cluster.TokensAsync(2);
        cluster.ReplaceFile(2, byNodes: 1);
        if (isRead)
        {
            (await cluster[2].QueryAsync("main", TestCluster.Sql("SELECT * FROM w"), true, default, default)).Should().BeOfType<QueryResult.NotDone>()
                .Which.Failure.Code.Should().Be(FailureCode.Repairing);
        }
        else
        {
            await InsertAsync(cluster, 0, "y", 1);
        }

        await WaitUntilHealedAsync(cluster, 2);
        cluster.Messages.Should().Contain(m => m.Contains("deleted or replaced"));
        await InsertAsync(cluster, 2, "after", 3);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_node_that_is_alone_stops_and_says_what_to_do()
    {
        await using var cluster = await TestCluster.StartAsync(_ => _verified with { Raft = new() }, size: 1);
        (await cluster[0].WriteAsync("main",
            [TestCluster.Sql("WITH RECURSIVE c(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM c WHERE n < 2000) INSERT INTO w SELECT 'row ' || n, n FROM c")],
            false, null, default)).Should().BeOfType<WriteResult.Done>();
        await cluster.CrashAsync(0);
        cluster.OverwritePage(0, "row 1234");
        await cluster.StartAsync(0);
        (await cluster.FailureAsync(0)).Should().Contain("damaged").And.Contain("no other node").And.Contain("backup");
        cluster.QuarantineFiles(0).Should().BeEmpty();
        await cluster.CrashAsync(0);
    }

    [Fact]
    public async Task A_whole_cluster_that_starts_verifies_once_or_a_little_more()
    {
        await using var cluster = await TestCluster.StartAsync(_ => _verified, size: 5);
        await cluster.UntilAsync(() => Enumerable.Range(0, 5).All(n => cluster[n].Verification is not null), "all have a result");
        (await cluster.TokensAsync(4, isStrong: true)).Should().BeEmpty();
        cluster.Network.Sent.Where(l => l.Message is VerifyReport).Select(l => ((VerifyReport)l.Message).Index).Distinct()
            .Should().HaveCountLessThanOrEqualTo(2);
    }

    [Fact]
    public async Task A_leader_that_is_not_verified_takes_no_writes_and_says_so()
    {
        await using var cluster = await TestCluster.StartAsync(_ => _verified with { RequestTimeout = TimeSpan.FromSeconds(1) });
        await InsertAsync(cluster, 0, "x", 3);
        await cluster.SettleAsync();
        foreach (var node in (int[])[0, 1, 2])
        {
            await cluster.CrashAsync(node);
        }

        cluster.Tamper(1, "UPDATE w SET token = 'wrong' WHERE token = 'x1'");
        using (cluster.Network.Drop(letter => letter.Message is VerifyReport))
        {
            foreach (var node in (int[])[0, 1, 2])
            {
                await cluster.StartAsync(node);
            }

            await cluster.ElectAsync(1);
            (await cluster.InsertAsync(2, "early")).Should().BeOfType<WriteResult.NotDone>().Which.Failure.Detail.Should().Contain("found its content equal");
        }

        await WaitUntilHealedAsync(cluster, 1);
        await InsertAsync(cluster, 1, "late", 2);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_leader_that_nobody_can_judge_leaves_a_peer_that_lags_to_one_that_still_has_the_log()
    {
        // Who is right, 0 or 1, only 2 can say, once it has caught up: by entries that 1 does not have any more, as 1 must not give a copy.
        await using var cluster = await TestCluster.StartAsync(node => node == 1 ? _shortLogs : _verified);
        await cluster.CrashAsync(2);
        await InsertAsync(cluster, 0, "x", 60);
        await cluster.SettleAsync();
        await cluster.CrashAsync(1);
        cluster.Tamper(1, "UPDATE w SET token = 'wrong' WHERE token = 'x1'");
        await cluster.StartAsync(1);
        await cluster.ElectAsync(1);
        await cluster.UntilAsync(() => cluster[1].Verification is { Outcome: VerificationOutcome.NoMajority }, "0 and 1 differ");
        cluster[1].FirstLogIndex.Should().BeGreaterThan(cluster[0].FirstLogIndex);
        await cluster.StartAsync(2);
        await WaitUntilHealedAsync(cluster, 1);
        await InsertAsync(cluster, 1, "after", 2);
        await cluster.CheckAsync();
    }

    private static async Task<VerificationResult> VerifyAsync(TestCluster cluster, int node, bool repairs = false) =>
        (await cluster[node].VerifyAsync(repairs, default).WaitAsync(TimeSpan.FromSeconds(60))).Should().BeOfType<VerifyAnswer.Done>().Subject.Result;

    private static Task WaitUntilHealedAsync(TestCluster cluster, int node) => cluster.UntilAsync(
        () => cluster.QuarantineFiles(node).Length > 0 | cluster.Messages.Any(m => m.Contains("serves again"))
            && cluster[node].Repair is null
            && cluster[node].Verification is { } v && v.Nodes.Single(n => n.Node == new NodeId(node)).Health == NodeHealth.Healthy,
        $"node {node} is healed and verified");

    private static async Task InsertAsync(TestCluster cluster, int node, string prefix, int count)
    {
        for (var i = 0; i < count; i++)
        {
            (await cluster.InsertAsync(node, $"{prefix}{i}")).Should().BeOfType<WriteResult.Done>();
        }
    }
}
