using DistDb.Node.Commands;
using DistDb.Node.Replication;
using DistDb.Tests.Database;

namespace DistDb.Tests.Replication;

/// <summary>The history of writes: every write of a client once, the same on all nodes.</summary>
public sealed class QueryHistoryTests
{
    [Fact]
    public async Task Every_write_of_a_client_is_there_once_on_every_node_through_whatever_node_it_came()
    {
        await using var cluster = await TestCluster.StartAsync();
        await DoAsync(cluster[0], "main", "CREATE TABLE t(a UNIQUE)");
        for (var node = 0; node < 3; node++)
        {
            await DoAsync(cluster[node], "main", $"INSERT INTO t VALUES ({node}), ({node + 10})");
        }

        (await cluster[1].WriteAsync("main", [TestDatabase.Sql("INSERT INTO t VALUES (0)")], false, null, default)).Should().BeOfType<WriteResult.NotDone>();
        for (var i = 0; i < 2; i++)
        {
            (await cluster[2].WriteAsync("main", [TestDatabase.Sql("UPDATE t SET a = a + 100 WHERE a < 3")], false, "once", default)).Should().BeOfType<WriteResult.Done>();
        }

        string[] transaction = ["DELETE FROM t WHERE a = 10", "SELECT 1"];
        (await cluster[1].WriteAsync("main", [.. transaction.Select(s => TestDatabase.Sql(s))], true, null, default)).Should().BeOfType<WriteResult.Done>();

        // The node that was asked may have the last one before the leader has.
        await cluster.SettleAsync();
        var rows = await ReadAsync(cluster, 0, "SELECT node, client, \"database\", \"table\", operation, query, rows_affected FROM queries WHERE \"table\" IS NOT 'w' ORDER BY id");

        rows.Should().Equal(
            "0|127.0.0.1|main|t|CREATE TABLE|CREATE TABLE t(a UNIQUE)|0",
            "0|127.0.0.1|main|t|INSERT|INSERT INTO t VALUES (0), (10)|2",
            "1|127.0.0.1|main|t|INSERT|INSERT INTO t VALUES (1), (11)|2",
            "2|127.0.0.1|main|t|INSERT|INSERT INTO t VALUES (2), (12)|2",
            "2|127.0.0.1|main|t|UPDATE|UPDATE t SET a = a + 100 WHERE a < 3|3",
            "1|127.0.0.1|main||TRANSACTION|DELETE FROM t WHERE a = 10;\nSELECT 1|1");
        var all = await ReadAsync(cluster, 0, "SELECT * FROM queries");
        for (var node = 1; node < 3; node++)
        {
            (await ReadAsync(cluster, node, "SELECT * FROM queries")).Should().Equal(all);
        }
    }

    [Fact]
    public async Task It_survives_restarts_snapshots_and_nobody_writes_to_it()
    {
        await using var cluster = await TestCluster.StartAsync();
        await DoAsync(cluster[0], "main", "CREATE TABLE t(a)");
        var refused = await cluster[1].WriteAsync("history_query", [TestDatabase.Sql("DELETE FROM queries")], false, null, default);
        refused.Should().BeOfType<WriteResult.NotDone>().Which.Failure.Code.Should().Be(FailureCode.Forbidden);
        await cluster.CrashAsync(2);
        await DoAsync(cluster[1], "main", "INSERT INTO t VALUES (1)");
        cluster.Wipe(2);
        await cluster.StartAsync(2);
        await cluster.UntilAsync(() => cluster[2].IsReady && cluster[2].AppliedIndex >= cluster[0].AppliedIndex, "the emptied node is back");
        (await ReadAsync(cluster, 2, "SELECT * FROM queries")).Should().Equal(await ReadAsync(cluster, 0, "SELECT * FROM queries"));
    }

    [Fact]
    public async Task A_node_alone_begins_it_anew_where_it_is_gone_and_says_so()
    {
        await using var cluster = await TestCluster.StartAsync(size: 1);
        await DoAsync(cluster[0], "main", "CREATE TABLE t(a)");
        await cluster.CrashAsync(0);
        cluster.DeleteDatabase(0, "history_query");
        await cluster.StartAsync(0);
        await cluster.UntilAsync(() => cluster[0].IsReady, "the node is back");
        cluster.Messages.Should().Contain(m => m.Contains("begins anew"));
        await DoAsync(cluster[0], "main", "INSERT INTO t VALUES (1)");
        (await ReadAsync(cluster, 0, "SELECT query FROM queries ORDER BY id"))[^1].Should().Be("INSERT INTO t VALUES (1)");
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task Old_rows_go_and_nothing_is_kept_where_it_is_off()
    {
        await using (var few = await TestCluster.StartAsync(_ => TestCluster.Options with { HistoryRowsMax = 5 }, size: 1))
        {
            await DoAsync(few[0], "main", "CREATE TABLE t(a)");
            for (var i = 0; i < 12; i++)
            {
                await DoAsync(few[0], "main", $"INSERT INTO t VALUES ({i})");
            }

            (await ReadAsync(few, 0, "SELECT query FROM queries ORDER BY id")).Should().Equal(Enumerable.Range(7, 5).Select(i => $"INSERT INTO t VALUES ({i})"));
        }

        await using var none = await TestCluster.StartAsync(_ => TestCluster.Options with { HistoryRowsMax = 0 }, size: 1);
        await DoAsync(none[0], "main", "CREATE TABLE t(a)");
        (await ReadAsync(none, 0, "SELECT query FROM queries")).Should().BeEmpty();
    }

    [Fact]
    public async Task Rows_past_their_age_go()
    {
        await using var cluster = await TestCluster.StartAsync(_ => TestCluster.Options with { HistoryAgeMax = TimeSpan.FromMilliseconds(1) }, size: 1);
        await DoAsync(cluster[0], "main", "CREATE TABLE t(a)");
        await cluster.UntilAsync(
            () =>
            {
                DoAsync(cluster[0], "main", "INSERT INTO t VALUES (1)").GetAwaiter().GetResult();
                return ReadAsync(cluster, 0, "SELECT 1 FROM queries WHERE operation = 'CREATE TABLE'").GetAwaiter().GetResult().Count == 0;
            },
            "the oldest row is gone");
    }

    [Fact]
    public async Task Reads_are_there_where_a_node_records_them_except_those_of_the_history()
    {
        await using var cluster = await TestCluster.StartAsync(n => TestCluster.Options with { RecordsReads = n == 1 });
        cluster[1].RecordRead("10.0.0.1", null, "history_query", "SELECT * FROM queries");
        cluster[1].RecordRead("10.0.0.1", null, "main", "SELECT 7");
        cluster[2].RecordRead("10.0.0.2", null, "main", "SELECT 8");
        await cluster.UntilAsync(
            () => ReadAsync(cluster, 0, "SELECT 1 FROM queries WHERE operation = 'SELECT'").GetAwaiter().GetResult().Count == 1, "the read is recorded");
        (await ReadAsync(cluster, 0, "SELECT node, client, query FROM queries WHERE operation = 'SELECT'")).Should().Equal("1|10.0.0.1|SELECT 7");
    }

    private static async Task DoAsync(ClusterNode node, string database, string sql) =>
        (await node.WriteAsync(database, [TestDatabase.Sql(sql)], isTransaction: false, idempotencyKey: null, default)).Should().BeOfType<WriteResult.Done>(because: sql);

    private static async Task<IReadOnlyList<string>> ReadAsync(TestCluster cluster, int node, string sql)
    {
        var index = cluster[0].AppliedIndex;
        var result = await cluster[node].QueryAsync("history_query", TestDatabase.Sql(sql), isStrong: false, index, default);
        return [.. result.Should().BeOfType<QueryResult.Done>().Subject.Rows.Rows.Select(row => string.Join('|', row.Select(v => v.Kind == SqlValueKind.Null ? "" : v.Kind == SqlValueKind.Text ? v.Text : $"{v.Integer}")))];
    }
}
