using DistDb.Node.Commands;
using DistDb.Node.Database;
using Microsoft.Data.Sqlite;
using static DistDb.Tests.Database.TestDatabase;

namespace DistDb.Tests.Database;

public sealed class ReplayTests : IDisposable
{
    private readonly TestDatabase _database = new();

    public ReplayTests() => _database.Do("CREATE TABLE t(id INTEGER PRIMARY KEY, a UNIQUE)");

    public void Dispose() => _database.Dispose();

    [Fact]
    public void A_write_that_does_here_what_it_did_at_the_leader_gives_its_results()
    {
        _database.Writer.Begin(_database.NextStamp());
        Replay("INSERT INTO t(a) VALUES (5) RETURNING a", new(1, 1), collectRows: true).Single().Rows!.Rows.Single().Single().Integer.Should().Be(5);
        Replay("INSERT INTO t(a) VALUES (6) RETURNING a", new(1, 2), collectRows: false).Single().Rows.Should().BeNull();
        _database.Writer.Commit();
        _database.Value("SELECT sum(a) FROM t").Integer.Should().Be(11);
    }

    [Theory]
    [InlineData("UPDATE t SET a = 1", 1, 0, "changed 1 rows")]
    [InlineData("INSERT INTO t(a) VALUES (5)", 1, 7, "last id 7")]
    [InlineData("INSERT INTO nosuch VALUES (5)", 1, 1, "no such table: nosuch")]
    [InlineData("INSERT INTO t VALUES (1, 1), (2, 1)", 2, 2, "UNIQUE constraint failed")]
    [InlineData("DELETE FROM _distdb_requests", 0, 0, "reserved")]
    public void A_write_that_does_something_else_here_is_a_divergence(string sql, int rows, int id, string how)
    {
        _database.Writer.Begin(_database.NextStamp());
        this.Invoking(test => test.Replay(sql, new(rows, id), false)).Should().Throw<ObservationDifferedException>()
            .WithMessage($"*{_database.Path}*entry 2, write 0*{how}*left at entry 1*")
            .Which.Should().BeEquivalentTo(new { Entry = 2, Ordinal = 0 });
        _database.Writer.Rollback();
        _database.Value("SELECT count(*) FROM t").Integer.Should().Be(0);
        _database.Writer.AppliedIndex.Should().Be(1);
    }

    [Fact]
    public void A_key_replayed_is_known_when_this_node_becomes_the_leader()
    {
        var command = _database.Command(Sql("INSERT INTO t(a) VALUES (5) RETURNING id"), "k");
        _database.Writer.Begin(_database.NextStamp());
        _database.Writer.Replay(new(command, new(1, 1)), 0, collectRows: false);
        _database.Writer.Commit();
        _database.Execute(command).Should().BeOfType<WriteOutcome.Remembered>()
            .Subject.Results.Single().Rows!.Rows.Single().Single().Integer.Should().Be(1);
    }

    [Fact]
    public void What_differs_is_told_by_a_digest_that_is_the_same_for_the_same_and_never_zero()
    {
        ulong[] digests =
        [
            Digest("INSERT INTO t(a) VALUES (5)", new(0, 0)),
            Digest("INSERT INTO t(a) VALUES (5), (6)", new(0, 0)),
            Digest("INSERT INTO t VALUES (7, 5)", new(0, 0)),
            Digest("INSERT INTO t VALUES (1, 1), (2, 1)", new(2, 2)),
            Digest("INSERT INTO nosuch VALUES (5)", new(1, 1)),
            Digest("INSERT INTO t(a) VALUES (5)", new(0, 0), ordinal: 1),
        ];
        digests.Should().OnlyHaveUniqueItems().And.NotContain(0UL);
        Digest("INSERT INTO t(a) VALUES (8)", new(3, 3)).Should().Be(digests[0], "what the leader recorded is no part of it");
    }

    [Fact]
    public void Overruling_a_write_is_done_as_it_is_here_and_one_that_fails_leaves_no_trace()
    {
        _database.Do("INSERT INTO t(a) VALUES (1)");
        _database.Writer.Begin(_database.NextStamp());
        Overrule("UPDATE t SET a = a + 10", new(0, 0), 0).Should().BeOfType<WriteOutcome.Succeeded>().Which.Observation.RowsAffected.Should().Be(1);
        Overrule("INSERT INTO t VALUES (2, 2), (3, 11)", new(2, 3), 1).Should().BeOfType<WriteOutcome.Failed>()
            .Which.Failure.Code.Should().Be(FailureCode.Constraint);
        Overrule("INSERT INTO t(a) VALUES (12)", new(1, 2), 2).Should().BeOfType<WriteOutcome.Succeeded>();
        _database.Writer.SetOverruled(ulong.MaxValue);
        _database.Writer.Commit();
        _database.Value("SELECT group_concat(a) FROM (SELECT a FROM t ORDER BY a)").Text.Should().Be("11,12");

        _database.Restart();
        _database.Writer.ReadOverruled().Should().Equal(new Dictionary<long, ulong> { [3] = ulong.MaxValue });
    }

    [Fact]
    public void Overruling_a_write_that_takes_the_entry_with_it_is_left_to_the_caller()
    {
        _database.Do("INSERT INTO t(a) VALUES (1)");
        var stamp = _database.NextStamp();
        _database.Writer.Begin(stamp);
        Overrule("INSERT INTO t(a) VALUES (2)", new(1, 2), 0);
        Overrule("INSERT OR ROLLBACK INTO t(a) VALUES (1)", new(1, 3), 1).Should().BeOfType<WriteOutcome.Failed>();
        _database.Writer.TransactionLost.Should().BeTrue();
        _database.Writer.Rollback();
        _database.Writer.Begin(stamp);
        Overrule("INSERT INTO t(a) VALUES (2)", new(1, 2), 0);
        _database.Writer.Commit();
        _database.Value("SELECT group_concat(a) FROM t").Text.Should().Be("1,2");
        _database.Writer.ReadOverruled().Should().BeEmpty("a rollback takes that as well, and nothing was noted since");
    }

    [Fact]
    public void A_file_of_an_older_version_gets_the_table_of_overruled_entries()
    {
        using (var connection = new SqliteConnection($"Data Source={_database.Path};Pooling=False"))
        {
            _database.Writer.Dispose();
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "DROP TABLE _distdb_overruled";
            command.ExecuteNonQuery();
        }

        _database.Restart();
        _database.Writer.ReadOverruled().Should().BeEmpty();
        _database.Do("CREATE TABLE more(a)");
    }

    private WriteOutcome Overrule(string sql, WriteObservation observation, int ordinal) =>
        _database.Writer.ReplayOverruling(new(_database.Command(Sql(sql)), observation), ordinal, collectRows: false);

    private ulong Digest(string sql, WriteObservation recorded, int ordinal = 0)
    {
        _database.Writer.Begin(_database.NextStamp());
        var digest = this.Invoking(_ => _database.Writer.Replay(new(_database.Command(Sql(sql)), recorded), ordinal, false))
            .Should().Throw<ObservationDifferedException>().Which.Observation;
        _database.Writer.Rollback();
        return digest;
    }

    private IReadOnlyList<StatementResult> Replay(string sql, WriteObservation observation, bool collectRows) =>
        _database.Writer.Replay(new(_database.Command(Sql(sql)), observation), 0, collectRows);
}
