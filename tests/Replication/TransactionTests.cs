using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Node.Replication;
using DistDb.Node.Transport;

namespace DistDb.Tests.Replication;

/// <summary>Interactive transactions: what they see, when they wait, and that they are done whole, once and everywhere, or not at all.</summary>
public sealed class TransactionTests
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_transaction_sees_its_own_writes_and_nobody_else_does_until_it_commits(int node)
    {
        await using var cluster = await TestCluster.StartAsync();
        var before = cluster[0].LastLogIndex;
        using var transaction = await BeginAsync(cluster[node], TransactionMode.Immediate);
        (await RunAsync(transaction, "INSERT INTO w(token, k) VALUES ('a', 1), ('b', 2)")).RowsAffected.Should().Be(2);
        (await RunAsync(transaction, "SELECT count(*), last_insert_rowid() FROM w")).Rows!.Rows[0].Should().Equal(SqlValue.From(2), SqlValue.From(2));
        (await RunAsync(transaction, "UPDATE w SET k = k + 10 WHERE token = 'a' RETURNING k")).Rows!.Rows.Single().Should().Equal(SqlValue.From(11));
        (await cluster.TokensAsync(0)).Should().BeEmpty();
        (await cluster.TokensAsync(node)).Should().BeEmpty();
        cluster[0].LastLogIndex.Should().Be(before);
        Done(await transaction.CommitAsync(_limit, default));
        (await cluster.TokensAsync(node)).Should().Equal("a", "b");
        cluster[0].LastLogIndex.Should().Be(before.Next, "it is one entry");
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_rollback_leaves_nothing_and_lets_the_next_one_in()
    {
        await using var cluster = await TestCluster.StartAsync();
        var before = cluster[0].LastLogIndex;
        var first = await BeginAsync(cluster[1], TransactionMode.Immediate);
        await RunAsync(first, "INSERT INTO w(token) VALUES ('lost')");
        var second = BeginAsync(cluster[2], TransactionMode.Immediate);
        await cluster.UntilAsync(() => cluster[0].Queue.LeaderWrites == 1, "it waits for the first");
        var write = cluster.InsertAsync(1, "after");
        await cluster.UntilAsync(() => cluster[0].Queue.LeaderWrites == 2, "so does the write");
        second.IsCompleted.Should().BeFalse();
        write.IsCompleted.Should().BeFalse();
        first.Dispose();
        using var turn = await second;
        (await RunAsync(turn, "SELECT count(*) FROM w")).Rows!.Rows[0][0].Integer.Should().Be(0, "the write came after it");
        await RunAsync(turn, "INSERT INTO w(token) VALUES ('kept')");
        Done(await turn.CommitAsync(_limit, default));
        (await write).Should().BeOfType<WriteResult.Done>();
        (await cluster.TokensAsync(1)).Should().Equal("after", "kept");
        cluster[0].LastLogIndex.Value.Should().Be(before.Value + 2);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task Savepoints_failures_time_and_chance_are_the_same_on_every_replica()
    {
        await using var cluster = await TestCluster.StartAsync();
        Done(await ExecAsync(cluster, 0, "CREATE TABLE x(id INTEGER PRIMARY KEY, r DEFAULT (random()), t DEFAULT CURRENT_TIMESTAMP, n UNIQUE)"));
        Done(await ExecAsync(cluster, 0, "CREATE VIRTUAL TABLE f USING fts5(body)"));
        using var transaction = await BeginAsync(cluster[1], TransactionMode.Immediate);
        var seen = (await RunAsync(transaction, "INSERT INTO x(n) VALUES (1) RETURNING r")).Rows!.Rows[0][0];
        await RunAsync(transaction, "SAVEPOINT \"Write\"");
        await RunAsync(transaction, "INSERT INTO x(n) VALUES (2)");
        await RunAsync(transaction, "INSERT INTO f VALUES ('undone words')");
        await RunAsync(transaction, "ROLLBACK TO write");
        await RunAsync(transaction, "INSERT INTO f VALUES ('kept words')");
        await RunAsync(transaction, "SAVEPOINT inner_one");
        await RunAsync(transaction, "INSERT INTO x(n) VALUES (3)");
        (await FailAsync(transaction, "INSERT INTO x(n) VALUES (4), (1)")).Code.Should().Be(FailureCode.Constraint);
        (await FailAsync(transaction, "INSERT OR FAIL INTO x(n) VALUES (5), (1)")).Code.Should().Be(FailureCode.Constraint);
        await RunAsync(transaction, "INSERT INTO x(n) SELECT 100 + changes() + last_insert_rowid()");
        await RunAsync(transaction, "RELEASE inner_one");
        (await FailAsync(transaction, "RELEASE inner_one")).Detail.Should().Be("no such savepoint: inner_one");
        (await FailAsync(transaction, "BEGIN")).Detail.Should().Contain("within a transaction");
        await RunAsync(transaction, "RELEASE write");
        var one = (await RunAsync(transaction, "SELECT random()")).Rows!.Rows[0][0];
        (await RunAsync(transaction, "SELECT random()")).Rows!.Rows[0][0].Should().NotBe(one);
        (await RunAsync(transaction, "PRAGMA table_info(x)")).Rows!.Rows.Should().HaveCount(4);
        Done(await transaction.CommitAsync(_limit, default));
        (await RowsAsync(cluster, 1, "SELECT n FROM x ORDER BY id")).Should().Equal("1", "3", "102");
        (await RowsAsync(cluster, 1, "SELECT r FROM x WHERE n = 1")).Should().Equal(seen.ToString());
        (await RowsAsync(cluster, 2, "SELECT body FROM f WHERE f MATCH 'words'")).Should().Equal("kept words");
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_transaction_goes_on_as_it_was_after_entries_of_other_databases()
    {
        await using var cluster = await TestCluster.StartAsync();
        (await cluster[0].WriteAsync(new WriteCommand { Operation = new CreateDatabaseOperation("other", false) }, _limit, null, default)).Should().BeOfType<WriteResult.Done>();
        Done(await cluster[0].WriteAsync("other", [TestCluster.Sql("CREATE TABLE o(a)")], false, null, default));
        using var transaction = await BeginAsync(cluster[2], TransactionMode.Immediate);
        var first = (await RunAsync(transaction, "INSERT INTO w(token, k) VALUES ('a', random()) RETURNING k")).Rows!.Rows[0][0];
        for (var i = 0; i < 5; i++)
        {
            Done(await cluster[1].WriteAsync("other", [TestCluster.Sql("INSERT INTO o VALUES (1)")], false, null, default).WaitAsync(_limit));
            (await RunAsync(transaction, "SELECT k FROM w WHERE token = 'a'")).Rows!.Rows[0][0].Should().Be(first);
            await RunAsync(transaction, $"INSERT INTO w(token) VALUES ('more {i}')");
        }

        Done(await transaction.CommitAsync(_limit, default));
        (await RowsAsync(cluster, 1, "SELECT k FROM w WHERE token = 'a'")).Should().Equal(first.ToString());
        (await cluster.TokensAsync(0)).Should().HaveCount(6);
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_deferred_transaction_reads_a_snapshot_and_writes_only_on_that()
    {
        await using var cluster = await TestCluster.StartAsync();
        using var good = await BeginAsync(cluster[1], TransactionMode.Deferred);
        (await RunAsync(good, "SELECT count(*) FROM w")).Rows!.Rows[0][0].Integer.Should().Be(0);
        await RunAsync(good, "INSERT INTO w(token) VALUES ('upgraded')");
        Done(await good.CommitAsync(_limit, default));
        using var late = await BeginAsync(cluster[1], TransactionMode.Deferred);
        (await RunAsync(late, "SELECT count(*) FROM w")).Rows!.Rows[0][0].Integer.Should().Be(1);
        Done(await cluster.InsertAsync(2, "between"));
        await cluster.SettleAsync();
        (await RunAsync(late, "SELECT count(*) FROM w")).Rows!.Rows[0][0].Integer.Should().Be(1, "it reads what it read");
        (await FailAsync(late, "INSERT INTO w(token) VALUES ('on sand')")).Code.Should().Be(FailureCode.Busy);
        using var reader = await BeginAsync(cluster[1], TransactionMode.ReadOnly);
        (await FailAsync(reader, "INSERT INTO w(token) VALUES ('never')")).Code.Should().Be(FailureCode.Forbidden);
        (await RunAsync(reader, "SELECT count(*) FROM w")).Rows!.Rows[0][0].Integer.Should().Be(2);
        Done(await reader.CommitAsync(_limit, default));
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_silent_transaction_and_a_long_one_are_rolled_back_and_hold_nobody_up()
    {
        await using var cluster = await TestCluster.StartAsync(_ => TestCluster.Options with { TransactionIdle = TimeSpan.FromMilliseconds(300), TransactionTimeout = TimeSpan.FromSeconds(1) });
        using var silent = await BeginAsync(cluster[1], TransactionMode.Immediate);
        await RunAsync(silent, "INSERT INTO w(token) VALUES ('silent')");
        Done(await cluster.InsertAsync(2, "waited").WaitAsync(_limit));
        (await FailAsync(silent, "SELECT 1")).Should().Match<Failure>(f => f.Code == FailureCode.TransactionTimeout && f.Detail.Contains("--transaction-idle"));
        silent.IsOver.Should().BeTrue();
        using var lengthy = await BeginAsync(cluster[1], TransactionMode.Immediate);
        var next = cluster.InsertAsync(2, "waited too");
        Failure? end = null;
        await cluster.UntilAsync(() => (end = lengthy.RunAsync(TestCluster.Sql("SELECT 1"), _limit, default).Result.Failure) is not null, "it took too long");
        end!.Should().Match<Failure>(f => f.Code == FailureCode.TransactionTimeout && f.Detail.Contains("--transaction-timeout"));
        Done(await next);
        using var reader = await BeginAsync(cluster[2], TransactionMode.ReadOnly);
        await cluster.UntilAsync(() => reader.IsOver, "a reader is ended as well");
        (await FailAsync(reader, "SELECT 1")).Code.Should().Be(FailureCode.TransactionTimeout);
        (await cluster.TokensAsync(1)).Should().Equal("waited", "waited too");
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_leader_that_is_cut_off_takes_its_transactions_with_it()
    {
        await using var cluster = await TestCluster.StartAsync();
        using var remote = await BeginAsync(cluster[1], TransactionMode.Immediate);
        await RunAsync(remote, "INSERT INTO w(token) VALUES ('half')");
        cluster.Network.CutOff(0);
        await cluster.ElectAsync(1);
        (await FailAsync(remote, "INSERT INTO w(token) VALUES ('other half')")).Code.Should().Be(FailureCode.TransactionLost);
        (await remote.CommitAsync(_limit, default)).Should().BeOfType<WriteResult.NotDone>();
        using var again = await BeginAsync(cluster[2], TransactionMode.Immediate);
        await RunAsync(again, "INSERT INTO w(token) VALUES ('whole')");
        Done(await again.CommitAsync(_limit, default));
        cluster.Network.Heal();
        await cluster.SettleAsync();
        (await cluster.TokensAsync(0)).Should().Equal("whole");
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task A_commit_whose_leader_dies_is_done_whole_or_not_at_all()
    {
        await using var cluster = await TestCluster.StartAsync();
        using var transaction = await BeginAsync(cluster[1], TransactionMode.Immediate);
        await RunAsync(transaction, "INSERT INTO w(token) VALUES ('one')");
        await RunAsync(transaction, "INSERT INTO w(token) VALUES ('two')");

        // The entry reaches node 1, and its leader hears of that no more.
        cluster.Network.Drop(m => m.To == 0 && m.Raft is Node.Raft.AppendEntriesAccepted);
        var before = cluster[1].LastLogIndex;
        var commit = transaction.CommitAsync(_limit, default);
        await cluster.UntilAsync(() => cluster[1].LastLogIndex > before, "the entry is at node 1");
        cluster.Network.CutOff(0);
        await cluster.ElectAsync(1);
        Done(await commit);
        (await cluster.TokensAsync(1)).Should().Equal("one", "two");

        using var other = await BeginAsync(cluster[2], TransactionMode.Immediate);
        await RunAsync(other, "INSERT INTO w(token) VALUES ('never')");
        cluster.Network.Heal();
        await cluster.SettleAsync();
        cluster.Network.Drop(m => m.From == 1 && m.Raft is Node.Raft.AppendEntries { Entries.Count: > 0 });
        var lost = other.CommitAsync(_limit, default);
        await cluster.UntilAsync(() => cluster[1].LastLogIndex > cluster[2].LastLogIndex, "the leader alone has it");
        cluster.Network.CutOff(1);
        await cluster.ElectAsync(2);
        (await lost).Should().BeOfType<WriteResult.NotDone>().Which.Failure.Code.Should().Be(FailureCode.TransactionLost);
        await cluster.CheckAsync();
        (await cluster.TokensAsync(1)).Should().Equal("one", "two");
    }

    [Fact]
    public async Task Requests_and_answers_may_be_lost_and_come_twice()
    {
        await using var cluster = await TestCluster.StartAsync();
        cluster.Network.Duplicate(m => m.Message is TransactionRequest or TransactionReply);
        using (var doubled = await BeginAsync(cluster[1], TransactionMode.Immediate))
        {
            await RunAsync(doubled, "INSERT INTO w(token) VALUES ('once')");
            Done(await doubled.CommitAsync(_limit, default));
        }

        cluster.Network.Heal();
        var chance = new Random(9);
        cluster.Network.Drop(m => m.Message is TransactionRequest or TransactionReply && chance.Next(2) == 0);
        using var lossy = await BeginAsync(cluster[2], TransactionMode.Immediate);
        await RunAsync(lossy, "INSERT INTO w(token) VALUES ('as well')");
        Done(await lossy.CommitAsync(_limit, default));
        (await cluster.TokensAsync(2)).Should().Equal("as well", "once");
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task Foreign_keys_can_be_off_in_a_transaction_and_are_held_at_its_commit_otherwise()
    {
        await using var cluster = await TestCluster.StartAsync();
        Done(await ExecAsync(cluster, 0, "CREATE TABLE p(id INTEGER PRIMARY KEY)"));
        Done(await ExecAsync(cluster, 0, "CREATE TABLE c(p REFERENCES p(id) DEFERRABLE INITIALLY DEFERRED)"));
        using var held = await BeginAsync(cluster[1], TransactionMode.Immediate);
        await RunAsync(held, "INSERT INTO c VALUES (7)");
        Failed(await held.CommitAsync(_limit, default)).Code.Should().Be(FailureCode.Constraint);
        held.IsOver.Should().BeFalse("it can still be mended");
        await RunAsync(held, "INSERT INTO p VALUES (7)");
        Done(await held.CommitAsync(_limit, default));
        using var off = cluster[0].OpenTransaction(new() { Mode = TransactionMode.Immediate, WithoutForeignKeys = true, Client = "127.0.0.1" }, out _)!;
        (await off.BeginAsync(_limit, default)).Should().BeNull();
        await RunAsync(off, "DROP TABLE p");
        await RunAsync(off, "CREATE TABLE p(id INTEGER PRIMARY KEY, more)");
        Done(await off.CommitAsync(_limit, default));
        (await RowsAsync(cluster, 2, "SELECT p FROM c")).Should().Equal("7");
        await cluster.CheckAsync();
    }

    [Fact]
    public async Task Schema_changes_are_the_masters_and_may_be_undone()
    {
        await using var cluster = await TestCluster.StartAsync();
        using (var elsewhere = await BeginAsync(cluster[1], TransactionMode.Immediate))
        {
            (await FailAsync(elsewhere, "CREATE TABLE no(a)")).Code.Should().Be(FailureCode.NotMaster);
            await RunAsync(elsewhere, "INSERT INTO w(token) VALUES ('goes on')");
            Done(await elsewhere.CommitAsync(_limit, default));
        }

        using var master = await BeginAsync(cluster[0], TransactionMode.Immediate);
        await RunAsync(master, "SAVEPOINT s");
        await RunAsync(master, "CREATE TABLE gone(a)");
        await RunAsync(master, "ROLLBACK TO s");
        (await FailAsync(master, "INSERT INTO gone VALUES (1)")).Detail.Should().Be("no such table: gone");
        await RunAsync(master, "CREATE TABLE made(a)");
        await RunAsync(master, "INSERT INTO made VALUES (1)");
        Done(await master.CommitAsync(_limit, default));
        (await RowsAsync(cluster, 0, "SELECT a FROM made")).Should().Equal("1");
        await cluster.CheckAsync();
    }

    private static async Task<ClientTransaction> BeginAsync(ClusterNode node, TransactionMode mode)
    {
        var transaction = node.OpenTransaction(new() { Mode = mode, Client = "127.0.0.1" }, out var failure);
        failure.Should().BeNull();
        (await transaction!.BeginAsync(_limit, default)).Should().BeNull();
        return transaction;
    }

    private static async Task<StatementResult> RunAsync(ClientTransaction transaction, string sql)
    {
        var outcome = await transaction.RunAsync(new(sql, StatementParameters.None), _limit, default);
        outcome.Failure.Should().BeNull();
        return outcome.Result!;
    }

    private static async Task<Failure> FailAsync(ClientTransaction transaction, string sql) =>
        (await transaction.RunAsync(new(sql, StatementParameters.None), _limit, default)).Failure!;

    private static Task<WriteResult> ExecAsync(TestCluster cluster, int node, string sql) => cluster[node].WriteAsync("main", [TestCluster.Sql(sql)], false, null, default);

    private static async Task<List<string>> RowsAsync(TestCluster cluster, int node, string sql)
    {
        await cluster.SettleAsync();
        var result = await cluster[node].QueryAsync("main", TestCluster.Sql(sql), false, default, default);
        return [.. result.Should().BeOfType<QueryResult.Done>().Subject.Rows.Rows.Select(row => row[0].ToString())];
    }

    private static void Done(WriteResult result) => result.Should().BeOfType<WriteResult.Done>();

    private static Failure Failed(WriteResult result) => result.Should().BeOfType<WriteResult.NotDone>().Subject.Failure;
}
