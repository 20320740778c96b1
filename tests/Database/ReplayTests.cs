using DistDb.Node.Commands;
using DistDb.Node.Database;
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
        this.Invoking(test => test.Replay(sql, new(rows, id), false)).Should().Throw<ReplicaDivergedException>()
            .WithMessage($"*{_database.Path}*entry 2, write 0*{how}*left at entry 1*snapshot*");
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

    private IReadOnlyList<StatementResult> Replay(string sql, WriteObservation observation, bool collectRows) =>
        _database.Writer.Replay(new(_database.Command(Sql(sql)), observation), 0, collectRows);
}
