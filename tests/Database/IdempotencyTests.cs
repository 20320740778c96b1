using DistDb.Node.Commands;
using DistDb.Node.Database;
using Microsoft.Data.Sqlite;
using static DistDb.Tests.Database.TestDatabase;

namespace DistDb.Tests.Database;

public sealed class IdempotencyTests : IDisposable
{
    private static readonly long _dayMs = (long)TimeSpan.FromHours(24).TotalMilliseconds;

    private readonly TestDatabase _database = new();

    public IdempotencyTests() => _database.Do("CREATE TABLE t(id INTEGER PRIMARY KEY, a UNIQUE)");

    public void Dispose() => _database.Dispose();

    [Fact]
    public void A_write_sent_again_is_done_once_and_answers_its_first_outcome()
    {
        var first = Execute("k", "INSERT INTO t(a) VALUES (1) RETURNING id, a").Should().BeOfType<WriteOutcome.Succeeded>().Subject;
        var index = _database.Writer.AppliedIndex;
        _database.Restart();
        var again = Execute("k", "INSERT INTO t(a) VALUES (1) RETURNING id, a").Should().BeOfType<WriteOutcome.Remembered>().Subject;
        again.Index.Should().Be(index);
        again.Results.Single().Should().Be(first.Results.Single() with { Rows = again.Results.Single().Rows });
        again.Results.Single().Rows!.Columns.Should().Equal("id", "a");
        again.Results.Single().Rows!.Types.Should().Equal("INTEGER", "INTEGER");
        again.Results.Single().Rows!.Rows.Single().Should().Equal(first.Results.Single().Rows!.Rows.Single());
        _database.Value("SELECT count(*) FROM t").Integer.Should().Be(1);
    }

    [Fact]
    public void A_second_copy_in_the_same_entry_is_recognised_too()
    {
        var writer = _database.Writer;
        writer.Begin(_database.NextStamp());
        var command = _database.Command(Sql("INSERT INTO t(a) VALUES (1)"), "k");
        writer.Execute(command, 0, new(false), Timeout.InfiniteTimeSpan).Should().BeOfType<WriteOutcome.Succeeded>();
        writer.Execute(command, 1, new(false), Timeout.InfiniteTimeSpan).Should().BeOfType<WriteOutcome.Remembered>()
            .Subject.Index.Should().Be(writer.AppliedIndex + 1);
        writer.Commit();
    }

    [Fact]
    public void A_key_used_for_another_write_is_refused()
    {
        Execute("k", "INSERT INTO t(a) VALUES (1)").Should().BeOfType<WriteOutcome.Succeeded>();
        var failure = Execute("k", "INSERT INTO t(a) VALUES (2)").Should().BeOfType<WriteOutcome.Failed>().Subject.Failure;
        failure.Code.Should().Be(FailureCode.IdReused);
        Execute("K", "INSERT INTO t(a) VALUES (2)").Should().BeOfType<WriteOutcome.Succeeded>();
        _database.Execute(_database.Command(Sql("INSERT INTO t(a) VALUES (?)", SqlValue.From(1)), "p"))
            .Should().BeOfType<WriteOutcome.Failed>().Subject.Failure.Code.Should().Be(FailureCode.Constraint);
    }

    [Fact]
    public void A_failed_write_leaves_its_key_free()
    {
        _database.Do("INSERT INTO t(a) VALUES (1)");
        Execute("k", "INSERT INTO t(a) VALUES (1)").Should().BeOfType<WriteOutcome.Failed>();
        Execute("k", "INSERT INTO t(a) VALUES (5)").Should().BeOfType<WriteOutcome.Succeeded>();
    }

    [Fact]
    public void A_key_is_forgotten_after_a_day_of_the_logs_time()
    {
        Execute("k", "INSERT INTO t(a) VALUES (1)", StartMs).Should().BeOfType<WriteOutcome.Succeeded>();
        Execute("k", "INSERT INTO t(a) VALUES (1)", StartMs + _dayMs).Should().BeOfType<WriteOutcome.Remembered>();
        Execute("k", "INSERT INTO t(a) VALUES (9)", StartMs + _dayMs + 1).Should().BeOfType<WriteOutcome.Succeeded>();
        Execute("k", "INSERT INTO t(a) VALUES (9)", StartMs + _dayMs + 2).Should().BeOfType<WriteOutcome.Remembered>();
    }

    [Fact]
    public void Forgotten_keys_leave_the_file()
    {
        for (var i = 0; i < 200; i++)
        {
            Execute($"old-{i}", $"INSERT INTO t(a) VALUES ({i})", StartMs + i);
        }

        Remembered().Should().Be(200);
        for (var i = 0; i < 4; i++)
        {
            Execute($"new-{i}", $"INSERT INTO t(a) VALUES (-{i + 1})", StartMs + (2 * _dayMs) + i);
        }

        Remembered().Should().Be(4);
    }

    [Fact]
    public void The_oldest_keys_are_forgotten_where_there_are_too_many()
    {
        using var ledger = new SmallLedger(countMax: 3, bytesMax: 1000);
        for (var i = 0; i < 5; i++)
        {
            ledger.Store($"k{i}", timeMs: StartMs + i, resultBytes: 10);
        }

        ledger.Keys.Should().Equal("k2", "k3", "k4");
        ledger.Totals.Should().Be((3, 3 * 12));
        ledger.Store("k3", StartMs + _dayMs + 4, 10);
        ledger.Keys.Should().Equal("k4", "k3");
        ledger.Totals.Should().Be((2, 2 * 12));
    }

    [Fact]
    public void The_oldest_keys_are_forgotten_where_they_are_too_large()
    {
        using var ledger = new SmallLedger(countMax: 1000, bytesMax: 100);
        for (var i = 0; i < 8; i++)
        {
            ledger.Store($"k{i}", StartMs + i, resultBytes: 10);
        }

        ledger.Totals.Should().Be((8, 96));
        ledger.Store("ä", StartMs + 8, resultBytes: 38);
        ledger.Keys.Should().Equal("k3", "k4", "k5", "k6", "k7", "ä");
        ledger.Totals.Should().Be((6, 100));
        ledger.Store("huge", StartMs + 9, resultBytes: 300);
        ledger.Keys.Should().Equal(["huge"], "the newest is kept, however large");
    }

    [Fact]
    public void What_is_remembered_is_counted_together_with_what_is_done()
    {
        Execute("k", "INSERT INTO t(a) VALUES (1) RETURNING a").Should().BeOfType<WriteOutcome.Succeeded>();
        var totals = Totals();
        totals.Count.Should().Be(1);
        totals.Bytes.Should().BeGreaterThan(1);
        Execute("l", "INSERT INTO t(a) VALUES (1)").Should().BeOfType<WriteOutcome.Failed>();
        _database.Writer.Begin(_database.NextStamp());
        _database.Writer.Execute(_database.Command(Sql("INSERT INTO t(a) VALUES (2)"), "m"), 0, new(false), Timeout.InfiniteTimeSpan).Should().BeOfType<WriteOutcome.Succeeded>();
        _database.Writer.Rollback();
        Totals().Should().Be(totals);
    }

    [Fact]
    public void An_answer_too_large_to_remember_is_refused()
    {
        var failure = Execute("k", "INSERT INTO t(a) VALUES (zeroblob(2000000)) RETURNING a")
            .Should().BeOfType<WriteOutcome.Failed>().Subject.Failure;
        failure.Code.Should().Be(FailureCode.TooLarge);
        failure.Detail.Should().Contain("\"id\"");
        Execute("k", "INSERT INTO t(a) VALUES (zeroblob(2000000))").Should().BeOfType<WriteOutcome.Succeeded>();
    }

    private WriteOutcome Execute(string key, string sql, long? timeMs = null) => _database.Execute(
        _database.Command(Sql(sql), key),
        stamp: new(_database.Writer.AppliedIndex + 1, timeMs ?? StartMs, 1));

    private long Remembered() => Read("SELECT count(*) FROM _distdb_requests");

    private (long Count, long Bytes) Totals() =>
        (Read("SELECT count FROM _distdb_request_totals"), Read("SELECT bytes FROM _distdb_request_totals"));

    private long Read(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={_database.Path};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }

    /// <summary>A ledger with bounds that a test reaches.</summary>
    private sealed class SmallLedger : IDisposable
    {
        private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("distdb-ledger-");
        private readonly Connection _connection;
        private readonly RequestLedger _ledger;
        private long _index;

        public SmallLedger(long countMax, long bytesMax)
        {
            _connection = Connection.OpenWriter(Path.Combine(_folder.FullName, "main.db"));
            foreach (var sql in InternalSchema.Create)
            {
                _connection.RunInternal(sql);
            }

            _ledger = new(_connection, countMax, bytesMax);
        }

        /// <summary>Oldest first.</summary>
        public IReadOnlyList<string> Keys
        {
            get
            {
                using var statement = _connection.CreateInternal("SELECT key FROM _distdb_requests ORDER BY time_ms");
                List<string> keys = [];
                while (statement.Step())
                {
                    keys.Add(statement.Text(0));
                }

                return keys;
            }
        }

        public (long Count, long Bytes) Totals
        {
            get
            {
                using var statement = _connection.CreateInternal("SELECT count, bytes FROM _distdb_request_totals");
                statement.Step().Should().BeTrue();
                return (statement.Integer(0), statement.Integer(1));
            }
        }

        public void Store(string key, long timeMs, int resultBytes) =>
            _ledger.Store(new() { Statements = [Sql("SELECT 1")], IdempotencyKey = key }, new(++_index, timeMs, 1), new byte[resultBytes]);

        public void Dispose()
        {
            _ledger.Dispose();
            _connection.Dispose();
            _folder.Delete(recursive: true);
        }
    }
}
