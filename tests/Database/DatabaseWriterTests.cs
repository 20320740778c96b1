using DistDb.Node.Commands;
using DistDb.Node.Database;
using DistDb.Tests.Support;
using Microsoft.Data.Sqlite;
using static DistDb.Tests.Database.TestDatabase;

namespace DistDb.Tests.Database;

public sealed class DatabaseWriterTests : IDisposable
{
    private static readonly WriteRights _all = new(MaySchema: true);

    private readonly TestDatabase _database = new();

    public void Dispose() => _database.Dispose();

    [Fact]
    public void A_committed_entry_is_read_by_others_and_survives_a_restart_with_its_index()
    {
        _database.Do("CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT)");
        var outcome = _database.Execute("INSERT INTO t(a) VALUES (?), (?)", SqlValue.From("x"), SqlValue.From("y"));

        var succeeded = outcome.Should().BeOfType<WriteOutcome.Succeeded>().Subject;
        succeeded.Observation.Should().Be(new WriteObservation(2, 2));
        succeeded.Results.Should().ContainSingle().Which.Should().Be(new StatementResult(2, 2, null));
        _database.Rows("SELECT a FROM t ORDER BY id").Rows.Select(row => row[0].Text).Should().Equal("x", "y");

        _database.Restart();
        _database.Writer.AppliedIndex.Should().Be(2);
        _database.Writer.AppliedTimeMs.Should().Be(StartMs + 1);
        _database.Rows("SELECT a FROM t ORDER BY id").Rows.Should().HaveCount(2);
    }

    [Fact]
    public void Readers_do_not_see_an_entry_before_its_commit_nor_after_its_rollback()
    {
        _database.Do("CREATE TABLE t(a)");
        _database.Writer.Begin(_database.NextStamp());
        _database.Writer.Execute(_database.Command(Sql("INSERT INTO t VALUES (1)")), 0, _all, Timeout.InfiniteTimeSpan);
        _database.Value("SELECT count(*) FROM t").Integer.Should().Be(0);
        _database.Writer.Rollback();
        _database.Value("SELECT count(*) FROM t").Integer.Should().Be(0);
        _database.Writer.AppliedIndex.Should().Be(1);
    }

    [Fact]
    public void A_failing_write_leaves_no_trace_and_its_neighbours_stay()
    {
        _database.Do("CREATE TABLE t(a INTEGER PRIMARY KEY)", "INSERT INTO t VALUES (5)");
        var writer = _database.Writer;
        writer.Begin(_database.NextStamp());
        Run("INSERT INTO t VALUES (1)", 0).Should().BeOfType<WriteOutcome.Succeeded>();
        var failed = writer.Execute(
            _database.Transaction(Sql("INSERT INTO t VALUES (2)"), Sql("CREATE TABLE u(a)"), Sql("INSERT INTO t VALUES (5)")),
            1, _all, Timeout.InfiniteTimeSpan).Should().BeOfType<WriteOutcome.Failed>().Subject.Failure;
        failed.Code.Should().Be(FailureCode.Constraint);
        failed.StatementIndex.Should().Be(2);
        failed.SqliteCode.Should().Be(1555);
        failed.Detail.Should().Contain("UNIQUE constraint failed: t.a");
        writer.TransactionLost.Should().BeFalse();
        Run("INSERT INTO t VALUES (3)", 1).Should().BeOfType<WriteOutcome.Succeeded>();
        writer.Commit();
        _database.Rows("SELECT a FROM t ORDER BY a").Rows.Select(row => row[0].Integer).Should().Equal(1, 3, 5);
        _database.Rows("SELECT 1 FROM sqlite_master WHERE name = 'u'").Rows.Should().BeEmpty();
    }

    [Fact]
    public void A_transaction_answers_each_statement_reads_included()
    {
        var outcome = _database.Execute(_database.Transaction(
            Sql("CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT)"),
            Sql("INSERT INTO t(a) VALUES ('x'), ('y')"),
            Sql("SELECT a FROM t ORDER BY id"),
            Sql("UPDATE t SET a = a || '!' RETURNING id, a")));
        var results = outcome.Should().BeOfType<WriteOutcome.Succeeded>().Subject.Results;
        results.Select(r => r.RowsAffected).Should().Equal(0, 2, 0, 2);
        results[2].Rows!.Rows.Select(row => row[0].Text).Should().Equal("x", "y");
        results[3].Rows!.Columns.Should().Equal("id", "a");
        results[3].Rows!.Types.Should().Equal("INTEGER", "TEXT");
        results[3].Rows!.Rows.Select(row => row[1].Text).Should().Equal("x!", "y!");
        ((WriteOutcome.Succeeded)outcome).Observation.Should().Be(new WriteObservation(4, 2));
    }

    [Theory]
    [InlineData("INSERT OR ROLLBACK INTO t VALUES (5)")]
    [InlineData("INSERT INTO u VALUES (5)")]
    public void A_statement_that_rolls_back_everything_is_reported_as_a_lost_transaction(string sql)
    {
        _database.Do(
            "CREATE TABLE t(a INTEGER PRIMARY KEY)",
            "CREATE TABLE u(a)",
            "CREATE TRIGGER r BEFORE INSERT ON u BEGIN SELECT RAISE(ROLLBACK, 'no'); END",
            "INSERT INTO t VALUES (5)");
        var writer = _database.Writer;
        var stamp = _database.NextStamp();
        writer.Begin(stamp);
        Run("INSERT INTO t VALUES (1)", 0).Should().BeOfType<WriteOutcome.Succeeded>();
        Run(sql, 1).Should().BeOfType<WriteOutcome.Failed>().Subject.Failure.Code.Should().Be(FailureCode.Constraint);
        writer.TransactionLost.Should().BeTrue();
        writer.Invoking(w => w.Commit()).Should().Throw<InvalidOperationException>();

        writer.Rollback();
        writer.TransactionLost.Should().BeFalse();
        writer.Begin(stamp);
        Run("INSERT INTO t VALUES (1)", 0).Should().BeOfType<WriteOutcome.Succeeded>();
        writer.Commit();
        _database.Rows("SELECT a FROM t ORDER BY a").Rows.Select(row => row[0].Integer).Should().Equal(1, 5);
    }

    [Fact]
    public void A_change_stopped_by_its_time_limit_takes_the_transaction_with_it_and_the_writer_goes_on()
    {
        _database.Do("CREATE TABLE t(a)");
        var writer = _database.Writer;
        writer.Begin(_database.NextStamp());
        var endless = _database.Command(Sql(
            "INSERT INTO t WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c WHERE n < 0"));
        writer.Execute(endless, 0, _all, TimeSpan.FromMilliseconds(20))
            .Should().BeOfType<WriteOutcome.Failed>().Subject.Failure.Code.Should().Be(FailureCode.Timeout);
        writer.TransactionLost.Should().BeTrue();
        writer.Rollback();
        _database.Do("INSERT INTO t VALUES (1)");
    }

    [Fact]
    public void A_read_stopped_by_its_time_limit_fails_its_own_write_alone()
    {
        _database.Do("CREATE TABLE t(a)");
        var writer = _database.Writer;
        writer.Begin(_database.NextStamp());
        Run("INSERT INTO t VALUES (1)", 0).Should().BeOfType<WriteOutcome.Succeeded>();
        var endless = _database.Transaction(
            Sql("INSERT INTO t VALUES (2)"),
            Sql("WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c) SELECT n FROM c WHERE n < 0"));
        var failure = writer.Execute(endless, 1, _all, TimeSpan.FromMilliseconds(20))
            .Should().BeOfType<WriteOutcome.Failed>().Subject.Failure;
        failure.Code.Should().Be(FailureCode.Timeout);
        failure.StatementIndex.Should().Be(1);
        writer.TransactionLost.Should().BeFalse();
        writer.Commit();
        _database.Value("SELECT group_concat(a) FROM t").Text.Should().Be("1");
    }

    [Fact]
    public void A_deferred_foreign_key_fails_its_own_write_and_not_the_commit()
    {
        _database.Do(
            "CREATE TABLE p(id INTEGER PRIMARY KEY)",
            "CREATE TABLE c(p REFERENCES p DEFERRABLE INITIALLY DEFERRED)");
        var writer = _database.Writer;
        writer.Begin(_database.NextStamp());
        Run("INSERT INTO c VALUES (7)", 0).Should().BeOfType<WriteOutcome.Failed>()
            .Subject.Failure.Should().BeEquivalentTo(new { Code = FailureCode.Constraint, SqliteCode = 787 });
        writer.Execute(_database.Transaction(Sql("INSERT INTO c VALUES (8)"), Sql("INSERT INTO p VALUES (8)")), 0, _all, Timeout.InfiniteTimeSpan)
            .Should().BeOfType<WriteOutcome.Succeeded>();
        writer.Commit();
        _database.Value("SELECT p FROM c").Integer.Should().Be(8);
    }

    [Fact]
    public void Cluster_and_master_are_stored_with_their_entry()
    {
        var id = Guid.NewGuid();
        _database.Writer.ClusterId.Should().BeNull();
        _database.Writer.Begin(_database.NextStamp());
        _database.Writer.SetClusterId(id);
        _database.Writer.Execute(new() { Operation = new PromoteOperation(3) }, 0, new(MaySchema: false), Timeout.InfiniteTimeSpan).Should().BeOfType<WriteOutcome.Succeeded>();
        _database.Writer.Rollback();
        _database.Restart();
        _database.Writer.ClusterId.Should().BeNull();
        _database.Writer.MasterNode.Should().Be(0);

        _database.Writer.Begin(_database.NextStamp());
        _database.Writer.SetClusterId(id);
        _database.Writer.Execute(new() { Operation = new PromoteOperation(3) }, 0, new(MaySchema: false), Timeout.InfiniteTimeSpan).Should().BeOfType<WriteOutcome.Succeeded>();
        _database.Writer.Commit();
        _database.Writer.ClusterId.Should().Be(id);
        _database.Restart();
        _database.Writer.ClusterId.Should().Be(id);
        _database.Writer.MasterNode.Should().Be(3);
    }

    [Fact]
    public void Entries_go_forward_only()
    {
        var writer = _database.Writer;
        writer.Begin(new(10, StartMs, 1));
        writer.Invoking(w => w.Begin(new(11, StartMs, 1))).Should().Throw<InvalidOperationException>();
        writer.Commit();
        writer.Invoking(w => w.Begin(new(10, StartMs, 1))).Should().Throw<ArgumentOutOfRangeException>();
        writer.Invoking(w => w.Begin(new(11, -1, 1))).Should().Throw<ArgumentOutOfRangeException>();
        writer.Invoking(w => w.Commit()).Should().Throw<InvalidOperationException>();
        writer.Rollback();
        writer.Begin(new(11, StartMs, 1));
        writer.Rollback();
        writer.AppliedIndex.Should().Be(10);
    }

    [Fact]
    public void A_checkpoint_moves_everything_committed_into_the_file()
    {
        _database.Do("CREATE TABLE t(a)", "INSERT INTO t VALUES (1)");
        _database.Writer.Checkpoint().Should().Be(2);

        // The main file alone, as a power loss without the write-ahead log would leave it.
        var copy = _database.Path + ".copy";
        File.Copy(_database.Path, copy);
        using var connection = new SqliteConnection($"Data Source={copy};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT count(*) FROM t";
        command.ExecuteScalar().Should().Be(1L);
    }

    [Fact]
    public async Task Another_programs_checkpoint_stops_nothing()
    {
        _database.Do("CREATE TABLE t(a)", "INSERT INTO t VALUES (1)");

        // It has the checkpoint's lock, and waits a while for the writer's. Where a look at that came first, it does not wait, and is begun again.
        Task<string> others;
        do
        {
            others = CheckpointAsync(".timeout 3000\nPRAGMA wal_checkpoint(FULL);");
            while (!others.IsCompleted && await CheckpointAsync("PRAGMA wal_checkpoint(PASSIVE);") == "0")
            {
            }
        }
        while (others.IsCompleted);

        // It may be done in the moment before SQLite asks for the lock.
        (_database.Writer.Checkpoint() ?? 2).Should().Be(2);
        _database.Do("INSERT INTO t VALUES (2)");
        await others;
        _database.Writer.Checkpoint().Should().Be(3);

        // Whether it could not be made.
        async Task<string> CheckpointAsync(string script) => (await SqliteProgram.RunAsync(_database.Path, script)).Trim().Split('|')[0];
    }

    [Fact]
    public void A_file_that_is_no_database_is_refused_with_what_to_do()
    {
        var path = _database.Path + ".txt";
        File.WriteAllText(path, string.Concat(Enumerable.Repeat("this is no database ", 100)));
        var open = () => DatabaseWriter.Open(path, new());
        open.Should().Throw<StorageFailedException>().WithMessage($"*{path}*not a database*").Which.SqliteCode.Should().Be(26);
    }

    [Fact]
    public async Task A_damaged_page_stops_the_node_and_is_not_the_statements_failure()
    {
        _database.Do("CREATE TABLE t(a)");
        _database.Execute("INSERT INTO t VALUES (?)", SqlValue.From(new string('x', 100_000)));
        _database.Do("CREATE TABLE u(a)", "INSERT INTO u VALUES (1)");
        _database.Writer.Checkpoint().Should().NotBeNull();
        var path = _database.Path;
        var rootPage = _database.Value("SELECT rootpage FROM sqlite_master WHERE name = 'u'").Integer;
        var damaged = path + ".damaged";
        File.Copy(path, damaged);
        using (var file = File.OpenWrite(damaged))
        {
            file.Position = (rootPage - 1) * 4096;
            file.Write(Enumerable.Repeat((byte)0x5a, 4096).ToArray());
        }

        using var writer = DatabaseWriter.Open(damaged, new());
        writer.Begin(_database.NextStamp());
        var execute = () => writer.Execute(_database.Command(Sql("INSERT INTO u VALUES (2)")), 0, _all, Timeout.InfiniteTimeSpan);
        execute.Should().Throw<StorageFailedException>().WithMessage($"*{damaged}*malformed*").Which.SqliteCode.Should().Be(11);
        var index = writer.AppliedIndex;
        writer.Rollback();
        writer.AppliedIndex.Should().Be(index);
        using var readers = new ReadPool(damaged, new());
        await readers.Awaiting(r => r.QueryAsync(Sql("SELECT * FROM u"), new(Timeout.InfiniteTimeSpan), CancellationToken.None))
            .Should().ThrowAsync<StorageFailedException>();
    }

    private WriteOutcome Run(string sql, int ordinal) =>
        _database.Writer.Execute(_database.Command(Sql(sql)), ordinal, _all, Timeout.InfiniteTimeSpan);

    [Theory]
    [InlineData("CREATE VIRTUAL TABLE f USING fts5(body)")]
    [InlineData("CREATE VIRTUAL TABLE f USING fts4(body)")]
    [InlineData("CREATE VIRTUAL TABLE f USING fts3(body)")]
    public void A_full_text_table_that_is_made_filled_and_taken_back_leaves_no_trace(string create)
    {
        _database.Fail(_database.Transaction(Sql(create), Sql("INSERT INTO f VALUES ('one')"), Sql("nonsense"))).Code.Should().Be(FailureCode.SqlError);
        _database.Do(create, "INSERT INTO f VALUES ('two')");

        // The same with other writes before and after it in the entry.
        var writer = _database.Writer;
        writer.Begin(_database.NextStamp());
        writer.Execute(_database.Command(Sql("INSERT INTO f VALUES ('three')")), 0, new(true), Timeout.InfiniteTimeSpan).Should().BeOfType<WriteOutcome.Succeeded>();
        var other = create.Replace(" f ", " g ", StringComparison.Ordinal);
        writer.Execute(_database.Transaction(Sql(other), Sql("INSERT INTO g VALUES ('one')"), Sql("INSERT INTO f VALUES ('four')"), Sql("nonsense")), 1, new(true), Timeout.InfiniteTimeSpan)
            .Should().BeOfType<WriteOutcome.Failed>();
        writer.Execute(_database.Transaction(Sql("DROP TABLE f"), Sql("nonsense")), 1, new(true), Timeout.InfiniteTimeSpan).Should().BeOfType<WriteOutcome.Failed>();
        writer.Execute(_database.Command(Sql("INSERT INTO f VALUES ('five')")), 1, new(true), Timeout.InfiniteTimeSpan).Should().BeOfType<WriteOutcome.Succeeded>();
        writer.Commit();
        _database.Rows("SELECT body FROM f WHERE f MATCH 'two OR three OR four OR five'").Rows.Select(row => row[0].Text).Should().BeEquivalentTo("two", "three", "five");
        _database.Value("PRAGMA integrity_check").Text.Should().Be("ok");
    }
}
