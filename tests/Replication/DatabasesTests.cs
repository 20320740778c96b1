using DistDb.Node.Commands;
using DistDb.Node.Raft;
using DistDb.Node.Replication;
using DistDb.Tests.Database;

namespace DistDb.Tests.Replication;

/// <summary>Several databases on several nodes.</summary>
public sealed class DatabasesTests
{
    [Fact]
    public async Task They_come_and_go_on_all_nodes_and_each_has_its_own_content()
    {
        await using var cluster = await TestCluster.StartAsync();
        (await ChangeAsync(cluster[1], new CreateDatabaseOperation("books", false))).Should().Be(FailureCode.NotMaster);
        (await ChangeAsync(cluster[0], new CreateDatabaseOperation("books", false))).Should().BeNull();
        (await ChangeAsync(cluster[0], new CreateDatabaseOperation("books", false))).Should().Be(FailureCode.Conflict);
        await DoAsync(cluster[0], "books", "CREATE TABLE t(a)");
        for (var node = 0; node < 3; node++)
        {
            await DoAsync(cluster[node], "books", "INSERT INTO t VALUES (random())");
        }

        (await WriteAsync(cluster[1], "films", "CREATE TABLE t(a)")).Should().BeOfType<WriteResult.NotDone>().Which.Failure.Code.Should().Be(FailureCode.NoSuchDatabase);
        await ShouldBeEqualAsync(cluster);
        cluster[2].Databases.Should().Equal("books", "history_query", "main");

        (await ChangeAsync(cluster[0], new DropDatabaseOperation("books", false))).Should().BeNull();
        await ShouldBeEqualAsync(cluster);
        cluster[2].Databases.Should().Equal("history_query", "main");
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task They_survive_crashes_and_come_with_snapshots()
    {
        await using var cluster = await TestCluster.StartAsync();
        await ChangeAsync(cluster[0], new CreateDatabaseOperation("a", false));
        await DoAsync(cluster[0], "a", "CREATE TABLE t(a)");
        await cluster.CrashAsync(1);
        await cluster.CrashAsync(2);
        await cluster.StartAsync(1);
        await DoAsync(cluster[0], "a", "INSERT INTO t VALUES (random())");
        await ChangeAsync(cluster[0], new CreateDatabaseOperation("b", false));
        await DoAsync(cluster[0], "b", "CREATE TABLE t(a)");
        cluster.Wipe(2);
        await cluster.StartAsync(2);
        await cluster.UntilAsync(() => cluster[2].IsReady, "the emptied node is taken in again");
        await DoAsync(cluster[2], "b", "INSERT INTO t VALUES (random())");
        await ShouldBeEqualAsync(cluster);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_row_changed_in_another_database_is_found_named_and_healed()
    {
        await using var cluster = await TestCluster.StartAsync();
        await ChangeAsync(cluster[0], new CreateDatabaseOperation("a", false));
        await DoAsync(cluster[0], "a", "CREATE TABLE t(id INTEGER PRIMARY KEY, v)");
        await DoAsync(cluster[0], "a", "INSERT INTO t VALUES (1, 'right'), (2, 'right')");
        await ShouldBeEqualAsync(cluster);
        await cluster.CrashAsync(1);
        cluster.Tamper(1, "UPDATE t SET v = 'wrong' WHERE id = 2", "a");
        await cluster.StartAsync(1);
        await cluster.UntilAsync(() => cluster[1].IsReady, "the node is back");

        var answer = await cluster[0].VerifyAsync(repairs: true, default);

        var difference = answer.Should().BeOfType<VerifyAnswer.Done>().Subject.Result.Differences.Should().ContainSingle().Subject;
        (difference.Database, difference.Table).Should().Be(("a", "t"));
        difference.Keys.Should().Equal("id = 2");
        await cluster.UntilAsync(() => cluster.QuarantineFiles(1).Length > 0 && cluster[1].IsReady, "the node is healed");
        await ShouldBeEqualAsync(cluster);
    }

    [Fact]
    public async Task Whoever_reads_while_a_database_comes_and_goes_gets_rows_or_a_plain_refusal()
    {
        await using var cluster = await TestCluster.StartAsync();
        using var end = new CancellationTokenSource();
        Task[] readers = [.. Enumerable.Range(0, 4).Select(_ => Task.Run(async () =>
        {
            while (!end.IsCancellationRequested)
            {
                var result = await cluster[0].QueryAsync("a", TestDatabase.Sql("SELECT count(*) FROM sqlite_schema"), isStrong: false, LogIndex.Zero, default);
                (result is QueryResult.Done or QueryResult.NotDone { Failure.Code: FailureCode.NoSuchDatabase }).Should().BeTrue($"{result}");
                await Task.Yield();
            }
        }))];
        for (var i = 0; i < 30 && !readers.Any(r => r.IsCompleted); i++)
        {
            (await ChangeAsync(cluster[0], new CreateDatabaseOperation("a", false))).Should().BeNull(string.Join('\n', cluster.Messages));
            (await ChangeAsync(cluster[0], new DropDatabaseOperation("a", false))).Should().BeNull(string.Join('\n', cluster.Messages));
        }

        await end.CancelAsync();
        await Task.WhenAll(readers);
        cluster[0].Repair.Should().BeNull();
    }

    private static Task<WriteResult> WriteAsync(ClusterNode node, string database, string sql) =>
        node.WriteAsync(database, [TestDatabase.Sql(sql)], isTransaction: false, idempotencyKey: null, default);

    private static async Task DoAsync(ClusterNode node, string database, string sql) =>
        (await WriteAsync(node, database, sql)).Should().BeOfType<WriteResult.Done>(because: sql);

    private static async Task<FailureCode?> ChangeAsync(ClusterNode node, Operation operation) =>
        await node.WriteAsync(new WriteCommand { Operation = operation }, node.RequestTimeout, null, default) is WriteResult.NotDone { Failure.Code: var code } ? code : null;

    private static async Task ShouldBeEqualAsync(TestCluster cluster)
    {
        await cluster.SettleAsync();
        var result = (await cluster[0].VerifyAsync(repairs: false, default)).Should().BeOfType<VerifyAnswer.Done>().Subject.Result;
        result.Outcome.Should().Be(VerificationOutcome.Equal, string.Join("; ", result.Differences));
    }
}
